//! What the venue says of its own running: room, flags, other engines, members, faults on purpose. The end of the table of
//! events, in a file of its own.

/// The table of events that it is given, and these behind it.
macro_rules! with_venue_events {
    ($(#[$doc:meta])* $Event:ident { $($events:tt)* }) => { messages! { $(#[$doc])* $Event {
        $($events)*
        /// The venue takes cancels and reductions alone from here on, or everything again.
        CancelOnlyChanged = 1090 {
            /// Whether it began or ended.
            on: bool,
        }
        /// A flag is switched from the next command on.
        FlagSwitched = 1091 {
            /// What was done.
            change: FlagChange,
        }
        /// A process was refused because it has another flag table; with the table that is asked for, it is refused no more.
        ProcessRefused = 1092 {
            /// The table it has.
            table: TableHash,
            /// The one that is asked for.
            wanted: TableHash,
        } + /// What it called itself.
            name
        /// A firm may send so much from here on.
        RunawayLimitsSet = 1093 {
            /// Which firm.
            firm: FirmId,
            /// The limits.
            limits: RunawayLimits,
        }
        /// A parent order of a firm stands from here on, or is taken away.
        ParentSet = 1094 {
            /// Which firm.
            firm: FirmId,
            /// How much.
            quantity: Quantity,
        } + /// Its name.
            name
        /// A firm has passed one of its limits. Comes before its kill switch.
        RunawayTripped = 1095 {
            /// What was found.
            trip: RunawayTrip,
        } + /// The parent, where one was passed.
            parent
        /// Behind a command, events wait for the word of another engine on the same stream, or no more.
        CutOverSet = 1096 {
            /// From where, and whose word.
            cut: Cut,
        } + /// Why, for people.
            why
        /// An instrument's events wait for a candidate's word, or no more.
        Routed = 1097 {
            /// Which instrument, and whose word.
            way: Way,
        } + /// Why, for people.
            why
        /// What was found of a candidate.
        Judged = 1098 {
            /// What was found.
            finding: Finding,
        } + /// Why, for people.
            why
        /// A command that brought a candidate down: that build passes over it.
        Quarantined = 1099 {
            /// Which command, and which build.
            poison: Poison,
        }
        /// A firm or account has these pre-trade limits from here on.
        RiskLimitsSet = 1100 {
            /// Which firm.
            firm: FirmId,
            /// Which account of it; zero: the firm as a whole.
            account: AccountId,
            /// The limits.
            limits: RiskLimits,
        }
        /// A firm is in this fee tier from here on.
        FeeTierSet = 1101 {
            /// Which firm.
            firm: FirmId,
            /// The tier.
            tier: FeeTier,
        }
        /// Somebody is about to act for the venue.
        Acted = 1102 {
            /// Who.
            actor: Actor,
            /// The schema of the command.
            subject: u16,
            /// The command's digest.
            digest: u64,
        } + /// Why.
            why
        /// A firm or account is kept in this shard of the member store from here on.
        ShardSet = 1103 {
            /// The directory's version.
            version: u32,
            /// Which firm.
            firm: FirmId,
            /// Which account of it; zero: the firm as a whole.
            account: AccountId,
            /// Where.
            shard: ShardId,
        }
        /// A user is defined so from here on.
        UserSet = 1104 {
            /// Who.
            user: UserId,
            /// Of which firm; zero: of the venue.
            firm: FirmId,
            /// For which account; zero: for all of the firm.
            account: AccountId,
            /// What the user may do.
            role: Role,
        } + /// What people call the user.
            name
        /// A firm is served so from here on.
        ServiceSet = 1105 {
            /// Which firm.
            firm: FirmId,
            /// How.
            service: Service,
        }
        /// A firm may send so much from here on, and is served so much of the time.
        BudgetsSet = 1108 {
            /// Which firm.
            firm: FirmId,
            /// The budgets.
            budgets: Budgets,
        }
        /// A share of the sessions of a door comes in by another process from its next connection on, or none any more.
        DoorRouted = 1160 {
            /// Which share, and where.
            lane: Lane,
        } + /// Why, for people.
            why
        /// What was found of a door in another process.
        DoorJudged = 1161 {
            /// What was found.
            opinion: Opinion,
        } + /// Why, for people.
            why
        /// A share of the feed's subscribers is told it by another process from its next connection on, or none any more.
        FeedRouted = 1162 {
            /// Which share.
            audience: Audience,
        } + /// Why, for people.
            why
        /// What was found of a feed in another process.
        FeedJudged = 1163 {
            /// What was found.
            hearing: Hearing,
        } + /// Why, for people.
            why
        /// A candidate was taken back, of whatever kind: how many it had reached.
        Recalled = 1164 {
            /// How many.
            reach: Reach,
        } + /// Why, for people.
            why
        /// Something is broken on purpose from here on. What it does to the books at once follows.
        FaultAdded = 1120 {
            /// What is broken.
            kind: FaultKind,
            /// What chance decides by.
            seed: u64,
            /// Of which session; zero: of every one.
            session: SessionId,
            /// On which instrument; zero: it is about none.
            instrument: InstrumentId,
            /// On which line of the feed; zero: on both.
            line: u8,
            /// How often, in parts of a million.
            chance: u32,
            /// How late, or how far, in nanoseconds.
            delay: u64,
            /// How much later at most, in nanoseconds.
            jitter: u64,
            /// Back instead of ahead.
            back: bool,
        } + /// What people call it; one of each name stands at a time.
            name
        /// It is mended.
        FaultRemoved = 1121 {
            /// What was broken.
            kind: FaultKind,
            /// Of which session; zero: of every one.
            session: SessionId,
        } + /// What it was called.
            name
    } } };
}

pub(super) use with_venue_events;
