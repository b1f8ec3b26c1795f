//! An exchange of its own in this process, and the member who trades with it, for measurements.

use crate::config::Config;
use crate::exchange::{Controls, Exchange, today};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rialto_members::{Credentials, Password, Verifier};
use rialto_ouch::messages::{
    AccountQuery, Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Outbound, Price,
    Quantity, Side, Symbol, TimeInForce, UserRefNum,
};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the other end may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const USER: &str = "bench";

/// How an exchange that is made for a measurement runs.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) durability: String,
    pub(crate) layout: String,
    pub(crate) idle: String,
}

impl Own {
    /// Opens it on a folder, gives its OUCH door to `measure` on this thread, and closes it.
    pub(crate) fn with<T>(&self, folder: &Path, measure: impl FnOnce(SocketAddr) -> Result<T>) -> Result<T> {
        self.with_controls(folder, |controls| measure(controls.addresses.ouch))
    }

    /// The same, for who changes something about it meanwhile.
    pub(super) fn with_controls<T>(&self, folder: &Path, measure: impl FnOnce(&Controls) -> Result<T>) -> Result<T> {
        let config = config(folder, self)?;
        let mut credentials = Credentials::new();
        credentials.add(USER, &Password::new(USER.as_bytes())?)?;
        let exchange = Exchange::open(&config, Verifier::start(credentials)?, today())?;
        let mut measured = Err(anyhow!("nothing was measured"));
        exchange.run(|controls| {
            measured = measure(controls);
            Ok(())
        })?;
        measured
    }
}

/// One instrument, one firm, one session; ports that the system picks.
fn config(data: &Path, own: &Own) -> Result<Config> {
    let text = r#"
        data = ""
        snapshot_every = 0
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        feed = { rerequest = "127.0.0.1:0", line_a = "239.192.77.1:0", line_b = "239.192.77.2:0" }
        [[instrument]]
        symbol = "ACME"
        [[firm]]
        name = "Bench"
        mpid = "BNCH"
        [[firm.session]]
        name = "bench"
        door = "ouch"
    "#;
    let mut config: Config = toml::from_str(text)?;
    config.data = data.to_owned();
    config.durability.clone_from(&own.durability);
    config.layout.clone_from(&own.layout);
    config.idle.clone_from(&own.idle);
    config.check()?;
    Ok(config)
}

/// A logged-on client.
pub(crate) struct Member {
    client: OuchClient,
    symbol: String,
    pub(crate) next: u32,
}

impl Member {
    /// The member of an exchange of [`Own`].
    pub(crate) fn log_on_own(door: SocketAddr) -> Result<Self> {
        let begun = Instant::now();
        loop {
            match Self::log_on(door, USER, USER, "ACME") {
                // The door may be open before the stream has said who there is.
                Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                done => return done,
            }
        }
    }

    pub(crate) fn log_on(door: SocketAddr, user: &str, password: &str, symbol: &str) -> Result<Self> {
        let mut member = Self {
            client: OuchClient::connect(door, login_for_new(user, password)?)?,
            symbol: symbol.to_owned(),
            next: 1,
        };
        let begun = Instant::now();
        let (mut inside, mut asked, mut answered, mut refused) = (false, false, None, None);
        while answered.is_none() {
            ensure!(begun.elapsed() < PATIENCE, "nobody lets the client in at {door}");
            member.client.wait(PATIENCE, &mut |event| match event {
                OuchEvent::LoggedIn(_) => inside = true,
                OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => answered = Some(answer.next_user_ref.0),
                OuchEvent::Closed(why) => refused = Some(format!("{why:?}")),
                OuchEvent::Message(_) => {}
            })?;
            if let Some(why) = &refused {
                bail!("the door at {door} does not let {user:?} in: {why}");
            }
            if inside && !asked {
                member.client.send(AccountQuery {})?;
                asked = true;
            }
        }
        member.next = answered.unwrap_or(1);
        Ok(member)
    }

    /// Enters an order that rests, under the next reference.
    pub(crate) fn send(&mut self) -> Result<()> {
        let order = self.order()?;
        self.client.send(order)
    }

    /// The next order that rests.
    fn order(&mut self) -> Result<EnterOrder<'static>> {
        let order = EnterOrder {
            user_ref: UserRefNum(self.next),
            side: Side::Buy,
            quantity: Quantity(100),
            symbol: Symbol::new(&self.symbol).context("the symbol")?,
            // Some hundred levels, none of which ever trades.
            price: Price(500_000 + u64::from(self.next % 128) * 100),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        self.next += 1;
        Ok(order)
    }

    /// Sends so many orders at once, and says how many of them were acknowledged and how many refused.
    pub(super) fn burst(&mut self, count: u32) -> Result<(u32, u32)> {
        for _ in 0..count {
            let order = self.order()?;
            self.client.queue(order)?;
        }
        let begun = Instant::now();
        let (mut accepted, mut refused, mut trouble) = (0, 0, None);
        while accepted + refused < count {
            ensure!(begun.elapsed() < PATIENCE, "a burst was not answered");
            let came = self.client.poll(&mut |event| match event {
                OuchEvent::Message(Outbound::OrderAccepted(_)) => accepted += 1,
                OuchEvent::Message(Outbound::OrderRejected(_)) => refused += 1,
                OuchEvent::Closed(why) => trouble = Some(format!("the session ended: {why:?}")),
                OuchEvent::Message(_) | OuchEvent::LoggedIn(_) => {}
            })?;
            if let Some(why) = &trouble {
                bail!("{why}");
            }
            if came == 0 {
                std::thread::yield_now();
            }
        }
        Ok((accepted, refused))
    }

    /// How many were acknowledged, as far as has come.
    fn acknowledged(&mut self) -> Result<u32> {
        let mut count = 0;
        self.acknowledge(|_| count += 1)?;
        Ok(count)
    }

    /// Shows the reference of each order that was acknowledged, as far as has come.
    pub(crate) fn acknowledge(&mut self, mut show: impl FnMut(u32)) -> Result<()> {
        let mut trouble = None;
        self.client.poll(&mut |event| match event {
            OuchEvent::Message(Outbound::OrderAccepted(order)) => show(order.user_ref.0),
            OuchEvent::Message(Outbound::OrderRejected(why)) => {
                trouble = Some(format!("an order was refused: {why:?}"))
            }
            OuchEvent::Closed(why) => trouble = Some(format!("the session ended: {why:?}")),
            OuchEvent::Message(_) | OuchEvent::LoggedIn(_) => {}
        })?;
        match trouble {
            Some(why) => bail!("{why}"),
            None => Ok(()),
        }
    }

    pub(super) fn one_by_one(&mut self, count: u32) -> Result<Vec<u64>> {
        let mut samples = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let begun = Instant::now();
            self.send()?;
            while self.acknowledged()? == 0 {
                ensure!(begun.elapsed() < PATIENCE, "an order was not acknowledged");
                std::thread::yield_now();
            }
            samples.push(begun.elapsed().as_nanos() as u64);
        }
        Ok(samples)
    }

    /// Says that it lives, and takes what has come, while somebody else is measured.
    pub(super) fn idle(&mut self) -> Result<()> {
        self.acknowledged().map(drop)
    }

    /// How long so many orders take.
    pub(super) fn flood(&mut self, count: u32, window: u32) -> Result<Duration> {
        let begun = Instant::now();
        let (mut sent, mut done) = (0, 0);
        while done < count {
            while sent < count && sent - done < window {
                self.send()?;
                sent += 1;
            }
            let came = self.acknowledged()?;
            done += came;
            if came == 0 {
                ensure!(
                    begun.elapsed() < PATIENCE * 10,
                    "{done} of {count} orders were acknowledged"
                );
                std::thread::yield_now();
            }
        }
        Ok(begun.elapsed())
    }
}
