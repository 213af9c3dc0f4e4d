//! The queue against a list that is searched from end to end.

use proptest::prelude::*;
use run_queue::{Key, RunQueue};
use std::collections::VecDeque;

/// A name with a generation, as event loops have them: whoever takes a place over has another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    place: usize,
    generation: u8,
}

impl Key for Token {
    fn index(self) -> usize {
        self.place
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(Token),
    Pop,
    Remove(Token),
}

fn token() -> impl Strategy<Value = Token> {
    (0_usize..8, 0_u8..2).prop_map(|(place, generation)| Token { place, generation })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => token().prop_map(Step::Push),
        2 => Just(Step::Pop),
        1 => token().prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn first_in_is_first_out_and_nobody_stands_twice(steps in proptest::collection::vec(step(), 0..200)) {
        let mut queue = RunQueue::default();
        let mut list: VecDeque<Token> = VecDeque::new();
        for step in steps {
            match step {
                Step::Push(token) => {
                    let stands = list.contains(&token);
                    if !stands {
                        list.retain(|other| other.place != token.place);
                        list.push_back(token);
                    }
                    prop_assert_eq!(queue.push(token), !stands);
                }
                Step::Pop => prop_assert_eq!(queue.pop(), list.pop_front()),
                Step::Remove(token) => {
                    let stood = list.contains(&token);
                    list.retain(|other| *other != token);
                    prop_assert_eq!(queue.remove(token), stood);
                }
            }
            prop_assert_eq!((queue.len(), queue.is_empty()), (list.len(), list.is_empty()));
            for place in 0..8 {
                for generation in 0..2 {
                    let token = Token { place, generation };
                    prop_assert_eq!(queue.contains(token), list.contains(&token));
                }
            }
        }
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        prop_assert_eq!(rest, Vec::from(list));
    }
}

#[test]
fn turns_go_round() {
    let mut queue = RunQueue::default();
    (0..4).for_each(|key: usize| assert!(queue.push(key)));
    let turns: Vec<usize> = (0..12)
        .filter_map(|_| {
            let key = queue.pop()?;
            queue.push(key);
            Some(key)
        })
        .collect();
    assert_eq!(turns, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
}
