//! From values to places on an axis, and where its ticks go.

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleKind {
    /// Equal differences, equal distances.
    Linear,
    /// Equal ratios, equal distances.
    Log,
    /// Shares that come ever closer to 1, each nine as far as the one before: 90 %, 99 %, 99.9 %.
    Nines,
}

/// A tick; only some have labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) labelled: bool,
}

/// An axis over the values from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) kind: ScaleKind,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether round numbers are powers of two, as for bytes.
    pub(crate) binary: bool,
}

impl Scale {
    /// From one end to the other.
    pub(crate) fn new(kind: ScaleKind, low: f64, high: f64) -> Self {
        Self {
            kind,
            low,
            high,
            binary: false,
        }
    }

    /// Over these values, with a little room; from 0 if `from_zero` and the scale has one.
    pub(crate) fn over(
        kind: ScaleKind,
        values: impl Iterator<Item = f64>,
        from_zero: bool,
    ) -> Self {
        let usable =
            values.filter(|value| value.is_finite() && (kind != ScaleKind::Log || *value > 0.0));
        let ends = usable.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| {
                (low.min(value), high.max(value))
            }))
        });
        let (low, high) = ends.unwrap_or(match kind {
            ScaleKind::Log => (1.0, 10.0),
            ScaleKind::Linear => (0.0, 1.0),
            ScaleKind::Nines => (0.0, 0.99),
        });
        match kind {
            ScaleKind::Linear => {
                let low = if from_zero { low.min(0.0) } else { low };
                let span = if high > low {
                    high - low
                } else {
                    high.abs().max(1.0)
                };
                let low = if from_zero || low == 0.0 {
                    low
                } else {
                    low - 0.04 * span
                };
                Self::new(kind, low, high.max(low) + 0.04 * span)
            }
            ScaleKind::Log => {
                // Never less than half a decade: noise is not to be blown up.
                let (low, high) = if high / low < 3.0 {
                    let middle = (low * high).sqrt();
                    (middle / 2.0, middle * 2.0)
                } else {
                    (low / 1.12, high * 1.12)
                };
                Self::new(kind, low, high)
            }
            ScaleKind::Nines => Self::new(kind, 0.0, high.clamp(0.9, 1.0 - 1e-9)),
        }
    }

    /// Where a value lies, in units in which distances are those on paper; None if it has no place.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.kind {
            ScaleKind::Linear => value,
            ScaleKind::Log => value.log10(),
            ScaleKind::Nines => -(1.0 - value.min(self.high)).log10(),
        };
        place.is_finite().then_some(place)
    }

    /// The places of both ends.
    pub(crate) fn ends(&self) -> (f64, f64) {
        let low = self.place(self.low).unwrap_or(0.0);
        let high = self.place(self.high).unwrap_or(low + 1.0);
        (low, if high > low { high } else { low + 1.0 })
    }

    /// Whether a value is on the axis.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Its ticks, `about` so many with labels.
    pub(crate) fn ticks(&self, about: usize) -> Vec<Tick> {
        match self.kind {
            _ if self.binary => self.binary_ticks(about),
            ScaleKind::Linear => self.linear_ticks(about),
            ScaleKind::Log => self.log_ticks(about),
            ScaleKind::Nines => self.nines_ticks(about),
        }
    }

    fn linear_ticks(&self, about: usize) -> Vec<Tick> {
        let span = self.high - self.low;
        let rough = span / about.max(1) as f64;
        let decade = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .iter()
            .map(|nice| nice * decade)
            .find(|step| *step >= rough);
        let step = step.unwrap_or(decade * 10.0);
        let first = (self.low / step - 1e-9).ceil();
        (0..=(span / step).min(100.0) as i32)
            .map(|n| (first + f64::from(n)) * step)
            .filter(|value| *value <= self.high + step * 1e-9)
            .map(|value| Tick {
                value,
                labelled: true,
            })
            .collect()
    }

    /// Powers of two, or multiples of one.
    fn binary_ticks(&self, about: usize) -> Vec<Tick> {
        let about = about.max(1) as f64;
        let within = |value: &f64| self.holds(*value);
        let labelled = |value| Tick {
            value,
            labelled: true,
        };
        if self.kind == ScaleKind::Log {
            let (first, last) = (
                self.low.log2().floor() as i32,
                self.high.log2().ceil() as i32,
            );
            let every = (f64::from(last - first) / about).ceil().max(1.0) as i32;
            let powers = (first..=last).filter(|power| power.rem_euclid(every) == 0);
            return powers
                .map(|power| 2_f64.powi(power))
                .filter(within)
                .map(labelled)
                .collect();
        }
        let step = 2_f64.powf(((self.high - self.low) / about).log2().ceil());
        let first = (self.low / step).ceil();
        (0..100)
            .map(|n| (first + f64::from(n)) * step)
            .take_while(|value| *value <= self.high)
            .map(labelled)
            .collect()
    }

    fn log_ticks(&self, about: usize) -> Vec<Tick> {
        let (first, last) = (
            self.low.log10().floor() as i32,
            self.high.log10().ceil() as i32,
        );
        let decades = self.high.log10() - self.low.log10();
        // In a short range some steps between the decades are labelled, in a long one not even all decades.
        let every = ((decades / about.max(1) as f64).ceil() as i32).max(1);
        let labelled: &[u32] = match decades {
            short if short < 0.8 => &[1, 2, 3, 5, 7],
            medium if medium * 3.0 <= about as f64 + 1.0 => &[1, 2, 5],
            _ => &[1],
        };
        let steps = (first..=last).flat_map(|decade| (1..10).map(move |step| (decade, step)));
        steps
            .map(|(decade, step): (i32, u32)| Tick {
                value: f64::from(step) * 10_f64.powi(decade),
                labelled: labelled.contains(&step) && (step > 1 || decade.rem_euclid(every) == 0),
            })
            .filter(|tick| {
                self.low * (1.0 - 1e-9) <= tick.value && tick.value <= self.high * (1.0 + 1e-9)
            })
            .collect()
    }

    fn nines_ticks(&self, about: usize) -> Vec<Tick> {
        // The median is a third of a nine from the end, and matters more than it.
        let roomy = about as f64 >= 2.5 * self.ends().1;
        let nines = (1..10).map(|n| 1.0 - 10_f64.powi(-n));
        [0.0, 0.5]
            .into_iter()
            .chain(nines)
            .filter(|value| *value <= self.high + 1e-12)
            .map(|value| Tick {
                value,
                labelled: value > 0.0 || roomy,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use command::quantity::Unit;

    fn labels(scale: Scale, unit: Unit, about: usize) -> Vec<String> {
        let ticks = scale.ticks(about).into_iter().filter(|tick| tick.labelled);
        ticks.map(|tick| unit.axis(tick.value)).collect()
    }

    #[test]
    fn ticks_are_where_people_expect_them() {
        let linear = Scale::over(ScaleKind::Linear, [3_000.0, 21_000.0].into_iter(), true);
        assert_eq!(
            labels(linear, Unit::PerSecond, 5),
            ["0", "5,000", "10,000", "15,000", "20,000"]
        );
        let log = Scale::over(ScaleKind::Log, [2e-4, 0.3].into_iter(), false);
        assert_eq!(labels(log, Unit::Seconds, 6), ["1 ms", "10 ms", "100 ms"]);
        let short = Scale::over(ScaleKind::Log, [1e-3, 9e-3].into_iter(), false);
        assert_eq!(
            labels(short, Unit::Seconds, 6),
            ["1 ms", "2 ms", "5 ms", "10 ms"]
        );
        let memory = Scale {
            binary: true,
            ..Scale::over(ScaleKind::Linear, [5e5].into_iter(), true)
        };
        assert_eq!(
            labels(memory, Unit::Bytes, 5),
            ["0", "128 KiB", "256 KiB", "384 KiB"]
        );
        let nines = Scale::over(ScaleKind::Nines, [0.9995].into_iter(), false);
        let shares = ["0 %", "50 %", "90 %", "99 %", "99.9 %"];
        assert_eq!(labels(nines, Unit::Share, 12), shares);
        assert_eq!(labels(nines, Unit::Share, 6), shares[1..]);
    }

    #[test]
    fn any_data_have_a_scale() {
        for kind in [ScaleKind::Linear, ScaleKind::Log, ScaleKind::Nines] {
            for values in [
                vec![],
                vec![0.0],
                vec![f64::NAN, 5.0],
                vec![-1.0, -1.0],
                vec![1e300, 1e-300],
            ] {
                let scale = Scale::over(kind, values.into_iter(), false);
                let (low, high) = scale.ends();
                assert!(low < high, "{scale:?}");
                assert!(scale.ticks(6).len() < 10_000, "{scale:?}");
            }
        }
    }
}
