//! `rialto completions`: what a shell completes, made from the command line itself.

use crate::Cli;
use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::Write as _;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For this shell: bash, zsh, fish, elvish or powershell
    shell: Shell,
}

impl Args {
    pub(crate) fn run(self) -> Result<()> {
        std::io::stdout().write_all(&script(self.shell))?;
        Ok(())
    }
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rialto", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_knows_every_command() {
        let commands: Vec<String> = Cli::command()
            .get_subcommands()
            .map(|one| one.get_name().to_owned())
            .collect();
        assert!(commands.len() > 10);
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            for command in &commands {
                assert!(script.contains(command.as_str()), "{shell}: {command}");
            }
        }
    }
}
