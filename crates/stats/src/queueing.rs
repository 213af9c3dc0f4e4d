//! What queueing theory says must come out.
//!
//! λ is the rate of arrivals, μ the rate at which one server serves, 1/μ the mean service time, ρ =
//! λ/μ the load of a single server. Times come out in the unit whose inverse the rates have.
//! Response time is wait plus service. Sources: Kleinrock, *Queueing Systems* I, 1975, and
//! Harchol-Balter, *Performance Modeling and Design of Computer Systems*, 2013, by chapter.

use crate::error::{self, Error};

/// Poisson arrivals, exponential service, one server (Harchol-Balter, 13).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mm1 {
    lambda: f64,
    mu: f64,
}

impl Mm1 {
    /// λ below μ.
    pub fn new(lambda: f64, mu: f64) -> Result<Self, Error> {
        stable(lambda, mu)?;
        Ok(Self { lambda, mu })
    }

    /// Mean response time, 1/(μ−λ).
    pub fn mean_response(&self) -> f64 {
        1.0 / (self.mu - self.lambda)
    }

    /// Mean wait, ρ/(μ−λ).
    pub fn mean_wait(&self) -> f64 {
        self.lambda / self.mu * self.mean_response()
    }

    /// The response time that a share `p` of requests does not exceed, −ln(1−p)/(μ−λ): response is
    /// exponential with rate μ−λ.
    pub fn response_quantile(&self, p: f64) -> f64 {
        -(-p.clamp(0.0, 1.0)).ln_1p() * self.mean_response()
    }
}

/// Poisson arrivals, any service distribution, one server (Harchol-Balter, 23).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mg1 {
    lambda: f64,
    mean: f64,
    second: f64,
}

impl Mg1 {
    /// The service time's mean E\[S\] and second moment E\[S²\], which is at least E\[S\]².
    pub fn new(lambda: f64, mean: f64, second_moment: f64) -> Result<Self, Error> {
        error::positive("mean service time", mean)?;
        error::positive("second moment", second_moment)?;
        stable(lambda, 1.0 / mean)?;
        // A sample's own moments may differ by rounding where all its values are alike.
        if second_moment < mean * mean * (1.0 - 1e-9) {
            return Err(Error::Parameter {
                name: "second moment",
                value: second_moment,
                must: "at least the square of the mean",
            });
        }
        Ok(Self {
            lambda,
            mean,
            second: second_moment,
        })
    }

    /// Constant service: M/D/1.
    pub fn constant(lambda: f64, service: f64) -> Result<Self, Error> {
        Self::new(lambda, service, service * service)
    }

    /// Mean wait, λE\[S²\]/2(1−ρ) (Pollaczek 1930, Khinchine 1932). With constant service it is
    /// ρ/2μ(1−ρ).
    pub fn mean_wait(&self) -> f64 {
        self.lambda * self.second / (2.0 * (1.0 - self.lambda * self.mean))
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.mean
    }
}

/// Poisson arrivals, exponential service, c servers and one queue (Harchol-Balter, 14): a pool of c
/// workers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmc {
    lambda: f64,
    mu: f64,
    servers: u32,
}

impl Mmc {
    /// λ below cμ, at least one server.
    pub fn new(lambda: f64, mu: f64, servers: u32) -> Result<Self, Error> {
        error::positive("number of servers", f64::from(servers))?;
        error::positive("service rate", mu)?;
        stable(lambda, mu * f64::from(servers))?;
        Ok(Self {
            lambda,
            mu,
            servers,
        })
    }

    /// The probability that a request has to wait (Erlang's C formula, 1917), computed from his B
    /// by the recursion B(k) = aB(k−1)/(k + aB(k−1)), which neither overflows nor cancels.
    pub fn erlang_c(&self) -> f64 {
        let a = self.lambda / self.mu;
        let b = (1..=self.servers).fold(1.0, |b, k| a * b / (f64::from(k) + a * b));
        let load = a / f64::from(self.servers);
        b / (1.0 - load * (1.0 - b))
    }

    /// P(wait > t) = C·e^−(cμ−λ)t.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.erlang_c() * (-self.spare() * t.max(0.0)).exp()
    }

    /// Mean wait, C/(cμ−λ).
    pub fn mean_wait(&self) -> f64 {
        self.erlang_c() / self.spare()
    }

    fn spare(&self) -> f64 {
        f64::from(self.servers) * self.mu - self.lambda
    }
}

/// A server of negligible service time that stops for `stop` in every `period`, under evenly spaced
/// requests that count their time from when they were due. A request due x after a stop began
/// answers after `stop` − x, so response times are uniform on (0, `stop`] for a share of
/// `stop`/`period`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    stop: f64,
    period: f64,
}

impl Stall {
    /// `stop` no longer than `period`.
    pub fn new(stop: f64, period: f64) -> Result<Self, Error> {
        error::not_negative("stop", stop)?;
        error::positive("period", period)?;
        if stop > period {
            return Err(Error::Parameter {
                name: "stop",
                value: stop,
                must: "no longer than the period",
            });
        }
        Ok(Self { stop, period })
    }

    /// T(p) = d − (1−p)P where that is positive, else 0.
    pub fn response_quantile(&self, p: f64) -> f64 {
        (self.stop - (1.0 - p.clamp(0.0, 1.0)) * self.period).max(0.0)
    }

    /// Mean response time, d²/2P.
    pub fn mean_response(&self) -> f64 {
        self.stop * self.stop / (2.0 * self.period)
    }
}

/// Little's law for a closed loop: the mean number of clients, X·(R+Z), of throughput X, response
/// time R and think time Z (Little, *Operations Research* 9, 1961; Harchol-Balter, 6).
pub fn closed_clients(throughput: f64, response: f64, think: f64) -> f64 {
    throughput * (response + think)
}

/// The queueing delay of the lecture notes' curve, 1/(capacity − load), which is the M/M/1 response
/// time.
pub fn lecture_delay(capacity: f64, load: f64) -> Result<f64, Error> {
    error::not_negative("load", load)?;
    if load < capacity {
        Ok(1.0 / (capacity - load))
    } else {
        Err(Error::Unstable { load, capacity })
    }
}

/// By how much the response time of a single server grows per unit of time once more arrives than
/// it can serve: ρ−1 (fluid limit; Kleinrock II, 1976). 0 below saturation.
pub fn overload_slope(lambda: f64, mu: f64) -> Result<f64, Error> {
    error::not_negative("arrival rate", lambda)?;
    error::positive("service rate", mu)?;
    Ok((lambda / mu - 1.0).max(0.0))
}

fn stable(load: f64, capacity: f64) -> Result<(), Error> {
    error::not_negative("arrival rate", load)?;
    error::positive("service rate", capacity)?;
    if load < capacity {
        Ok(())
    } else {
        Err(Error::Unstable { load, capacity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-4 * expected.abs(),
            "{found} for {expected}"
        );
    }

    #[test]
    fn mm1() {
        let queue = Mm1::new(0.5, 1.0).unwrap();
        close(queue.mean_response(), 2.0);
        close(queue.mean_wait(), 1.0);
        close(queue.response_quantile(0.99), 9.2103);
        assert_eq!(
            Mm1::new(1.0, 1.0),
            Err(Error::Unstable {
                load: 1.0,
                capacity: 1.0
            })
        );
        assert!(Mm1::new(f64::NAN, 1.0).is_err() && Mm1::new(-1.0, 1.0).is_err());
        assert_eq!(queue.response_quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn mg1() {
        // M/D/1 at ρ = 0.5 waits half as long as M/M/1.
        close(Mg1::constant(0.5, 1.0).unwrap().mean_wait(), 0.5);
        close(
            Mg1::new(0.5, 1.0, 2.0).unwrap().mean_wait(),
            Mm1::new(0.5, 1.0).unwrap().mean_wait(),
        );
        // Nine in ten take 1, one takes 11: E[S] = 2, E[S²] = 13.
        close(
            Mg1::new(0.25, 2.0, 13.0).unwrap().mean_response(),
            3.25 + 2.0,
        );
        assert!(Mg1::new(0.5, 1.0, 0.5).is_err());
    }

    #[test]
    fn mmc() {
        // Two servers half busy: 1/3. Ten servers, eight erlangs: 0.4092 (tables of Erlang C).
        let pair = Mmc::new(1.0, 1.0, 2).unwrap();
        close(pair.erlang_c(), 1.0 / 3.0);
        close(pair.mean_wait(), 1.0 / 3.0);
        close(Mmc::new(8.0, 1.0, 10).unwrap().erlang_c(), 0.409_18);
        close(pair.wait_tail(2.0), (-2.0_f64).exp() / 3.0);
        assert!(Mmc::new(1.0, 1.0, 0).is_err() && Mmc::new(2.0, 1.0, 2).is_err());
        assert!(
            Mmc::new(9_990.0, 1.0, 10_000)
                .unwrap()
                .erlang_c()
                .is_finite()
        );
    }

    #[test]
    fn stall() {
        // 100 ms in every second: 90 % notice nothing, the median of the others waits 50 ms.
        let stall = Stall::new(0.1, 1.0).unwrap();
        assert_eq!(
            (stall.response_quantile(0.5), stall.response_quantile(1.0)),
            (0.0, 0.1)
        );
        close(stall.response_quantile(0.95), 0.05);
        close(stall.response_quantile(0.99), 0.09);
        close(stall.mean_response(), 0.005);
        assert!(Stall::new(2.0, 1.0).is_err());
    }

    #[test]
    fn laws() {
        assert_eq!(closed_clients(100.0, 0.05, 0.95), 100.0);
        close(lecture_delay(100.0, 90.0).unwrap(), 0.1);
        assert!(lecture_delay(100.0, 100.0).is_err());
        close(overload_slope(1200.0, 1000.0).unwrap(), 0.2);
        assert_eq!(overload_slope(1.0, 2.0), Ok(0.0));
    }

    proptest! {
        #![proptest_config(crate::cases(200))]

        #[test]
        fn one_server_of_many_is_mm1(load in 0.01..0.99_f64, mu in 0.1..1e6_f64) {
            let (one, pool) = (Mm1::new(load * mu, mu).unwrap(), Mmc::new(load * mu, mu, 1).unwrap());
            prop_assert!((pool.erlang_c() - load).abs() < 1e-9);
            prop_assert!((pool.mean_wait() / one.mean_wait() - 1.0).abs() < 1e-9);
        }
    }
}
