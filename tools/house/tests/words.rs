//! The project speaks of itself alone.

use rialto_house::fault::assert_found;
use rialto_house::words::faults;
use rialto_house::{Fault, Tree, assert_none};

#[test]
fn no_file_speaks_of_how_it_came_about() {
    let tree = Tree::open();
    let found: Vec<Fault> = tree
        .files()
        .flat_map(|path| faults(path, &tree.text(path).unwrap_or_default()))
        .collect();
    assert_none(&found);
}

#[test]
fn words_from_outside_are_found() {
    let table = [
        ["see /wo", "rk/main"],
        ["at /fa", "rm/x"],
        ["Fa", "rm-3"],
        ["a .lib", "rary/ of"],
        ["a .mir", "ror/ of"],
        ["in /tmp/br", "ief"],
        ["a Sub", "agent did"],
        ["two sub", "agents did"],
        ["by Clau", "de"],
        ["by Anth", "ropic."],
        ["by Chat", "GPT"],
        ["as the issue ", "asks"],
        ["the last session of ", "work"],
        ["Co-Authored", "-By: x"],
        ["closes iss", "ue 7"],
        ["Iss", "ue #12"],
        ["iss", "ue#3"],
    ];
    for pieces in table {
        let line = pieces.concat();
        let found = faults("a.md", &format!("# A page\n{line}\n"));
        assert_found(&found, &[("a.md:2", "speaks of ")]);
    }
}

#[test]
fn words_of_the_trade_pass() {
    let text = "This session is logged on. Orders issued 3 times, issues of 2012, issue: none; work/life, framework/x, a farm; ../shared/data.";
    assert_none(&faults("a.md", text));
}
