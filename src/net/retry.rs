//! When to try again, and for how long: three attempts, growing pauses with jitter, two minutes in total
//! (docs/concepts.md).

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// An error that knows whether another attempt may help.
pub trait Heal {
    /// Whether the cause may be gone in a moment.
    fn may_heal(&self) -> bool;

    /// How long the server asked us to wait.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// The schedule of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How often to try, the first time included.
    pub attempts: u32,
    /// Pause after the first failure, before jitter; it doubles with each failure.
    pub first_pause: Duration,
    /// Longest pause, whatever the server asks for in `Retry-After`.
    pub max_pause: Duration,
    /// Time for everything: attempts and pauses.
    pub total: Duration,
    /// Time for one attempt, with all its requests.
    pub one_attempt: Duration,
}

impl Default for Schedule {
    /// 3 attempts, pauses from 1 s to 30 s, 2 minutes in total.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_secs(1),
            max_pause: Duration::from_secs(30),
            total: Duration::from_secs(120),
            one_attempt: Duration::from_secs(120),
        }
    }
}

impl Schedule {
    /// One attempt, no pause.
    pub fn once() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// How long to wait after failure number `failures` (from 1), `elapsed` after the start; `None` to give up.
    ///
    /// `jitter` is uniformly random: the pause lies between half the doubled pause and all of it, so that a fleet that
    /// failed together does not return together. `Retry-After` makes it longer, up to `max_pause`. Pure.
    pub fn pause(
        &self,
        failures: u32,
        elapsed: Duration,
        jitter: u32,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if failures == 0 || failures >= self.attempts {
            return None;
        }
        let doubled = self
            .first_pause
            .saturating_mul(2u32.saturating_pow(failures - 1))
            .min(self.max_pause);
        let half = doubled / 2;
        let share = half.mul_f64(f64::from(jitter) / f64::from(u32::MAX));
        let asked = retry_after.unwrap_or_default();
        let pause = half.saturating_add(share).max(asked).min(self.max_pause);
        (elapsed.saturating_add(pause) < self.total).then_some(pause)
    }
}

/// One attempt of [`retry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// 1, 2, 3 …
    pub number: u32,
    /// What is left of the total; pass it to [`super::Limits::within`].
    pub time_left: Duration,
}

/// Runs `attempt` until it succeeds, fails for good, or `schedule` gives up; then the last error.
///
/// `jitter` gives a random number for each pause. A later attempt must not reuse the nonce of an earlier one (T3): draw
/// it inside `attempt`.
///
/// # Errors
/// The error of the last attempt.
pub async fn retry<T, E, F, Fut>(
    schedule: &Schedule,
    mut jitter: impl FnMut() -> u32,
    mut attempt: F,
) -> Result<T, E>
where
    E: Heal,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    let mut number = 1;
    loop {
        let time_left = schedule.total.saturating_sub(started.elapsed());
        let time_left = time_left.min(schedule.one_attempt);
        let error = match attempt(Attempt { number, time_left }).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !error.may_heal() {
            return Err(error);
        }
        let pause = schedule.pause(number, started.elapsed(), jitter(), error.retry_after());
        let Some(pause) = pause else {
            return Err(error);
        };
        tokio::time::sleep(pause).await;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq)]
    struct Failure {
        number: u32,
        heals: bool,
        asks: Option<Duration>,
    }

    impl Heal for Failure {
        fn may_heal(&self) -> bool {
            self.heals
        }
        fn retry_after(&self) -> Option<Duration> {
            self.asks
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn three_attempts_then_the_last_error() {
        let started = Instant::now();
        let result: Result<(), _> = retry(
            &Schedule::default(),
            || u32::MAX,
            async |attempt: Attempt| {
                Err(Failure {
                    number: attempt.number,
                    heals: true,
                    asks: None,
                })
            },
        )
        .await;
        assert_eq!(result.unwrap_err().number, 3);
        // Paused time: exactly the two pauses, rounded up to tokio's millisecond.
        let pauses = started.elapsed();
        assert!(pauses >= SECOND * 3 && pauses < SECOND * 3 + Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_error_is_not_retried_and_a_success_ends_the_loop() {
        let mut calls = 0;
        let result: Result<(), _> = retry(
            &Schedule::default(),
            || 0,
            |attempt| {
                calls += 1;
                let number = attempt.number;
                async move {
                    Err(Failure {
                        number,
                        heals: false,
                        asks: None,
                    })
                }
            },
        )
        .await;
        assert_eq!((result.unwrap_err().number, calls), (1, 1));
        let result = retry(
            &Schedule::default(),
            || 0,
            async |attempt: Attempt| {
                if attempt.number < 2 {
                    return Err(Failure {
                        number: attempt.number,
                        heals: true,
                        asks: None,
                    });
                }
                Ok(attempt.number)
            },
        )
        .await;
        assert_eq!(result, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_attempts_and_long_waits_stay_within_the_total() {
        let mut left = Vec::new();
        let result: Result<(), _> = retry(
            &Schedule::default(),
            || 0,
            |attempt| {
                left.push(attempt.time_left);
                async move {
                    tokio::time::sleep((SECOND * 30).min(attempt.time_left)).await;
                    Err(Failure {
                        number: attempt.number,
                        heals: true,
                        asks: Some(SECOND * 3600),
                    })
                }
            },
        )
        .await;
        assert_eq!(result.unwrap_err().number, 2);
        let seconds: Vec<u64> = left.iter().map(|left| left.as_secs()).collect();
        assert!(matches!(seconds[..], [120, 0..=60]), "{seconds:?}");
    }

    proptest! {
        #[test]
        fn a_pause_is_bounded_and_never_leads_past_the_total(
            failures in 0u32..2000, elapsed in 0u64..200, jitter: u32, asked in proptest::option::of(any::<u64>()),
            attempts in 0u32..2000,
        ) {
            let schedule = Schedule { attempts, ..Schedule::default() };
            let elapsed = Duration::from_secs(elapsed);
            let asked = asked.map(Duration::from_secs);
            match schedule.pause(failures, elapsed, jitter, asked) {
                None => prop_assert!(failures == 0 || failures >= attempts || elapsed + schedule.max_pause >= schedule.total),
                Some(pause) => {
                    prop_assert!(failures < attempts);
                    prop_assert!(pause >= schedule.first_pause / 2 && pause <= schedule.max_pause);
                    prop_assert!(pause >= asked.unwrap_or_default().min(schedule.max_pause));
                    prop_assert!(elapsed + pause < schedule.total);
                }
            }
        }
    }
}
