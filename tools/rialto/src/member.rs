//! `rialto member`: firms, accounts, users, sessions, limits, and the member store with its shards.

use crate::ask::{Member, Place, Request};
use crate::console::members::KEYS;
use crate::out;
use crate::serve::credentials_path;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use rialto_members::{Credentials, KeyRole, Keyring, Password};
use rialto_model::{AccountId, FirmId};
use serde_json::{Map, Value, json};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Bytes of standard input that are looked at for a password.
const PASSWORD_LINE_MAX: u64 = 1_024;

#[derive(Debug, Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    place: Place,
    /// Who acts or looks; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    who: String,
    /// Why; it stands in the stream
    #[arg(long, global = true, default_value = "")]
    why: String,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Args)]
struct Of {
    /// The firm's name or identifier
    #[arg(long)]
    firm: String,
    /// Only this account
    #[arg(long)]
    account: Option<u32>,
    /// The directory's version that was read; another that stands is said and nothing answered
    #[arg(long, value_name = "VERSION")]
    directory: Option<u32>,
    /// Say which shards were touched
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Args)]
struct Paged {
    #[command(flatten)]
    of: Of,
    /// Go on behind this cursor, which the page before ended with
    #[arg(long, value_name = "CURSOR")]
    after: Option<u64>,
    /// Rows of a page
    #[arg(long, short = 'n', default_value_t = 100)]
    count: usize,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What a firm holds
    Positions(Of),
    /// A firm's orders: those that are open and the last that are over
    Orders(Paged),
    /// A firm's fills
    Fills(Paged),
    /// Where firms are kept
    #[command(subcommand)]
    Shard(Shard),
    /// Pre-trade limits, and budgets of messages
    #[command(subcommand)]
    Limits(Limits),
    /// A firm's part of the fees
    Tier {
        /// The firm's name or identifier
        firm: String,
        /// Per cent of what resting orders pay or are paid
        maker: u16,
        /// Per cent of what incoming orders pay or are paid
        taker: u16,
    },
    /// How a firm is served: with the others, or by itself
    Serve {
        /// The firm's name or identifier
        firm: String,
        /// pool: by the threads of all; bridge: by a port of its own
        #[arg(value_parser = ["pool", "bridge"])]
        service: String,
    },
    /// Firms
    #[command(subcommand)]
    Firm(FirmCommand),
    /// Accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Users
    #[command(subcommand)]
    User(UserCommand),
    /// Keys of the HTTP gateway; they are in keys.toml of the data folder, each secret is told once
    #[command(subcommand)]
    Key(KeyCommand),
    /// Sessions; their passwords are in the credentials file
    #[command(subcommand)]
    Session(SessionCommand),
}

#[derive(Debug, Subcommand)]
enum Shard {
    /// The directory
    Ls,
    /// How many events each account has caused
    Heat,
    /// Move a firm, or an account of it, while it trades
    Move {
        /// The firm's name or identifier
        firm: String,
        /// To which shard
        #[arg(long)]
        to: u16,
        /// This account alone
        #[arg(long, default_value_t = 0)]
        account: u32,
    },
    /// Move whatever evens out the heat
    Rebalance {
        /// Over so many shards
        #[arg(long, default_value_t = 4)]
        shards: u16,
    },
}

#[derive(Debug, Subcommand)]
enum Limits {
    /// What stands, with what is counted
    Show {
        /// Only of this firm
        firm: Option<String>,
    },
    /// Change a firm's limits; what is not given stays, zero takes a limit away
    Set(Box<Changes>),
}

#[derive(Debug, Args)]
struct Changes {
    /// The firm's name or identifier
    firm: String,
    /// Of this account alone
    #[arg(long, default_value_t = 0)]
    account: u32,
    /// The highest quantity of one order
    #[arg(long)]
    order_quantity: Option<u64>,
    /// The highest worth of one order: price units times quantity
    #[arg(long)]
    order_notional: Option<u64>,
    /// How far beyond the last trade a price may lie, in basis points
    #[arg(long)]
    collar: Option<u32>,
    /// How many orders may stand
    #[arg(long)]
    open_orders: Option<u32>,
    /// How much may be held, or sold short, of each instrument
    #[arg(long)]
    position: Option<u64>,
    /// Whether nothing may be sold that is not held
    #[arg(long)]
    long_only: Option<bool>,
    /// How much may be paid in a day: price units times quantity
    #[arg(long)]
    credit: Option<u64>,
    /// For how many milliseconds an order like one before is refused
    #[arg(long)]
    duplicate_window: Option<u32>,
    #[command(flatten)]
    budget: Budget,
}

/// By all sessions of the firm together.
#[derive(Debug, Args)]
#[command(next_help_heading = "Budgets of messages, of the firm by all its sessions together")]
struct Budget {
    /// New orders, replaces and quotes a second
    #[arg(long)]
    orders_per_second: Option<u32>,
    /// How many of them at once
    #[arg(long)]
    orders_burst: Option<u32>,
    /// Cancels and reductions a second: no fewer than orders
    #[arg(long)]
    cancels_per_second: Option<u32>,
    /// How many of them at once: no fewer than orders
    #[arg(long)]
    cancels_burst: Option<u32>,
    /// Questions a second
    #[arg(long)]
    questions_per_second: Option<u32>,
    /// How many of them at once
    #[arg(long)]
    questions_burst: Option<u32>,
    /// Its share where firms wait for each other: 1 to 16
    #[arg(long)]
    weight: Option<u8>,
}

#[derive(Debug, Subcommand)]
enum FirmCommand {
    /// All of them
    Ls,
    /// Define one
    Add { id: u32, mpid: String, name: String },
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// All of them
    Ls,
    /// Define one
    Add { id: u32, firm: String },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// All of them
    Ls,
    /// Define one, or change one
    Add {
        id: u32,
        name: String,
        /// The firm; none: of the venue
        #[arg(long)]
        firm: Option<String>,
        /// For this account alone
        #[arg(long, default_value_t = 0)]
        account: u32,
        /// What the user may do
        #[arg(long, default_value = "read-only", value_parser = ["barred", "read-only", "trader", "risk", "operator"])]
        role: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// All of them
    Ls,
    /// Make one, and tell its secret
    Add {
        name: String,
        /// The firm's name or identifier; 0: the venue
        #[arg(long)]
        firm: String,
        /// This account alone
        #[arg(long, default_value_t = 0)]
        account: u32,
        /// What the key lets do
        #[arg(long, default_value = "read-only", value_parser = ["read-only", "trader", "risk", "operator"])]
        role: String,
    },
    /// Take one out; it opens nothing from now on
    Rm { name: String },
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// All of them
    Ls,
    /// Define one
    Add {
        id: u32,
        name: String,
        /// The firm
        #[arg(long)]
        firm: String,
        /// Its account
        #[arg(long)]
        account: u32,
        /// By which door it comes
        #[arg(long, default_value = "ouch", value_parser = ["ouch", "fix"])]
        door: String,
    },
    /// Give one a password: a line of standard input. Its hash is kept in the credentials file, and holds from the next start on
    Password {
        /// The session's name, as the configuration has it
        name: String,
    },
}

/// Those that were given.
fn given<const N: usize>(values: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let given = values
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    given.collect()
}

impl Budget {
    fn changes(&self) -> Map<String, Value> {
        given([
            ("orders_per_second", self.orders_per_second.map(Value::from)),
            ("orders_burst", self.orders_burst.map(Value::from)),
            ("cancels_per_second", self.cancels_per_second.map(Value::from)),
            ("cancels_burst", self.cancels_burst.map(Value::from)),
            ("questions_per_second", self.questions_per_second.map(Value::from)),
            ("questions_burst", self.questions_burst.map(Value::from)),
            ("weight", self.weight.map(Value::from)),
        ])
    }
}

impl Changes {
    /// What is to be changed: limits, budgets, or one behind the other.
    fn told(self) -> Result<Vec<Member>> {
        let Self {
            firm,
            account,
            order_quantity,
            order_notional,
            collar,
            open_orders,
            position,
            long_only,
            credit,
            duplicate_window,
            budget,
        } = self;
        let limits = given([
            ("order_quantity", order_quantity.map(Value::from)),
            ("order_notional", order_notional.map(Value::from)),
            ("collar", collar.map(Value::from)),
            ("open_orders", open_orders.map(Value::from)),
            ("position", position.map(Value::from)),
            ("long_only", long_only.map(Value::from)),
            ("credit", credit.map(Value::from)),
            ("duplicate_window", duplicate_window.map(Value::from)),
        ]);
        let budgets = budget.changes();
        if !budgets.is_empty() && account != 0 {
            bail!("budgets of messages are the firm's, not an account's: leave --account out");
        }
        let mut told = Vec::new();
        if !limits.is_empty() || budgets.is_empty() {
            told.push(Member::Limit {
                firm: firm.clone(),
                account,
                changes: limits,
            });
        }
        if !budgets.is_empty() {
            told.push(Member::Budget { firm, changes: budgets });
        }
        Ok(told)
    }
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        let list = |kind: &str| Member::List { kind: kind.to_owned() };
        let ask = match self.what {
            What::Positions(Of {
                firm,
                account,
                directory,
                explain,
            }) => Member::Positions {
                firm,
                account,
                directory,
                explain,
            },
            What::Orders(Paged {
                of:
                    Of {
                        firm,
                        account,
                        directory,
                        explain,
                    },
                after,
                count,
            }) => Member::Orders {
                firm,
                account,
                directory,
                explain,
                after,
                most: count,
            },
            What::Fills(Paged {
                of:
                    Of {
                        firm,
                        account,
                        directory,
                        explain,
                    },
                after,
                count,
            }) => Member::Fills {
                firm,
                account,
                directory,
                explain,
                after,
                most: count,
            },
            What::Shard(Shard::Ls) => Member::Shards,
            What::Shard(Shard::Heat) => Member::Heat,
            What::Shard(Shard::Move { firm, to, account }) => Member::Move {
                firm,
                account,
                shard: to,
            },
            What::Shard(Shard::Rebalance { shards }) => Member::Rebalance { shards },
            What::Limits(Limits::Show { firm }) => Member::Limits { firm },
            What::Limits(Limits::Set(changes)) => {
                for about in changes.told()? {
                    let request = Request::Member {
                        about,
                        who: self.who.clone(),
                        why: self.why.clone(),
                    };
                    self.place.put(&request, self.json)?;
                }
                return Ok(());
            }
            What::Tier { firm, maker, taker } => Member::Tier { firm, maker, taker },
            What::Serve { firm, service } => Member::Serve {
                firm,
                bridge: service == "bridge",
            },
            What::Firm(FirmCommand::Ls) => list("firms"),
            What::Firm(FirmCommand::Add { id, mpid, name }) => Member::AddFirm { id, mpid, name },
            What::Account(AccountCommand::Ls) => list("accounts"),
            What::Account(AccountCommand::Add { id, firm }) => Member::AddAccount { id, firm },
            What::User(UserCommand::Ls) => list("users"),
            What::User(UserCommand::Add {
                id,
                name,
                firm,
                account,
                role,
            }) => Member::AddUser {
                id,
                firm,
                account,
                role,
                name,
            },
            What::Session(SessionCommand::Password { name }) => {
                return password(&name, self.place.folder()?, self.json);
            }
            What::Key(command) => {
                let firm = match &command {
                    KeyCommand::Add { firm, .. } => firm_of(&self.place, firm)?,
                    _ => FirmId(0),
                };
                return keys(&command, firm, self.place.folder()?, self.json);
            }
            What::Session(SessionCommand::Ls) => list("sessions"),
            What::Session(SessionCommand::Add {
                id,
                name,
                firm,
                account,
                door,
            }) => Member::AddSession {
                id,
                firm,
                account,
                door,
                name,
            },
        };
        let request = Request::Member {
            about: ask,
            who: self.who,
            why: self.why,
        };
        self.place.put(&request, self.json)
    }
}

/// The firm of this name or number; before the first start any number is taken.
fn firm_of(place: &Place, name: &str) -> Result<FirmId> {
    if name == "0" {
        return Ok(FirmId(0));
    }
    let request = Request::Member {
        about: Member::List {
            kind: "firms".to_owned(),
        },
        who: String::new(),
        why: String::new(),
    };
    let firms = match (place.lines(&request), name.parse()) {
        (Ok(firms), _) => firms,
        (Err(_), Ok(number)) => return Ok(FirmId(number)),
        (Err(error), Err(_)) => return Err(error),
    };
    let is_it = |firm: &&Value| {
        firm["mpid"]
            .as_str()
            .is_some_and(|mpid| mpid.eq_ignore_ascii_case(name))
            || name.parse::<u64>().is_ok_and(|number| firm["firm"] == number)
    };
    if let Some(number) = firms.iter().find(is_it).and_then(|firm| firm["firm"].as_u64()) {
        return Ok(FirmId(u32::try_from(number)?));
    }
    let there: Vec<String> = firms
        .iter()
        .map(|firm| format!("{} ({})", firm["mpid"].as_str().unwrap_or("-"), firm["firm"]))
        .collect();
    bail!("no firm is called {name:?}: there are {}", there.join(", "))
}

/// Gives a session a password; another one that it had is no more.
fn password(name: &str, data: &Path, json: bool) -> Result<()> {
    if std::io::stdin().is_terminal() {
        out::complain(format_args!("the password of {name}, and Enter (it is shown):"));
    }
    let mut line = String::new();
    let input = std::io::stdin().lock().take(PASSWORD_LINE_MAX);
    std::io::BufReader::new(input).read_line(&mut line)?;
    let given = Password::new(line.as_bytes())?;
    std::fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    let path = credentials_path(data);
    let mut credentials = if path.exists() {
        Credentials::load(&path)?
    } else {
        Credentials::new()
    };
    credentials.remove(name);
    credentials.add(name, &given)?;
    credentials.save(&path)?;
    let said = json!({"session": name, "credentials": path});
    if json {
        out::json_line(&said);
    } else {
        out::say(format_args!("{}", out::pairs(&said)));
    }
    Ok(())
}

/// Keys are of the files, not of the stream.
fn keys(command: &KeyCommand, firm: FirmId, data: &Path, json: bool) -> Result<()> {
    let path = data.join(KEYS);
    let mut keys = match std::fs::read_to_string(&path) {
        Ok(text) => Keyring::parse(&text).with_context(|| format!("{}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Keyring::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let say = |line: &Value| {
        if json {
            out::json_line(line);
        } else {
            out::say(format_args!("{}", out::pairs(line)));
        }
    };
    match command {
        KeyCommand::Ls => {
            for (name, role, firm, account) in keys.list() {
                say(&json!({"name": name, "role": role, "firm": firm.0, "account": account.0}));
            }
            return Ok(());
        }
        KeyCommand::Add {
            name, account, role, ..
        } => {
            let role: KeyRole = serde_json::from_value(Value::from(role.as_str()))
                .with_context(|| format!("no role is called {role:?}: use read-only, trader, risk or operator"))?;
            let mut bytes = [0; 24];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
            let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            keys.add(name, &secret, role, firm, AccountId(*account))?;
            say(&json!({"name": name, "secret": secret}));
        }
        KeyCommand::Rm { name } => {
            if !keys.remove(name) {
                bail!("no key is called {name:?}: see `rialto member key ls`");
            }
            say(&json!({"name": name, "removed": true}));
        }
    }
    let beside = data.join(format!("{KEYS}.new-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    file.write_all(keys.to_toml().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, &path).with_context(|| format!("cannot put {} in place", path.display()))
}
