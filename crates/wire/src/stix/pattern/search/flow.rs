//! Which observations go to which expression: a flow in a two-sided graph. Pure.
//!
//! SOURCE: Ford and Fulkerson, Maximal Flow through a Network (1956): augmenting paths.

use super::{Demand, Search, SearchProblem, State, Task};
use std::collections::{BTreeMap, BTreeSet};

impl<'p> Search<'p> {
    /// Gives an expression what it needs, moving what others were given where that helps.
    pub(super) fn demand(
        &mut self,
        state: &mut State,
        leaf: usize,
        task: Task<'p>,
    ) -> Result<bool, SearchProblem> {
        let own = state.demands.len();
        state.demands.push(Demand { leaf, window: task.window, given: BTreeMap::new() });
        let mut need = task.times;
        while need > 0 {
            let Some(path) = self.path(state, own)? else { return Ok(false) };
            need = need.saturating_sub(self.push(state, &path, need));
        }
        Ok(true)
    }

    /// A way from an expression to an observation with room: (expression, observation) by turns.
    fn path(
        &mut self,
        state: &State,
        own: usize,
    ) -> Result<Option<Vec<(usize, usize)>>, SearchProblem> {
        let mut came: BTreeMap<usize, (usize, Option<usize>)> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([(own, None)]);
        let mut asked = BTreeSet::from([own]);
        while let Some((asker, through)) = queue.pop_front() {
            let Some(demand) = state.demands.get(asker) else { continue };
            let Some(leaf) = self.leaves.get(demand.leaf) else { continue };
            for seen in leaf.within(demand.window) {
                self.step()?;
                let observation = seen.observation;
                if came.contains_key(&observation) {
                    continue;
                }
                came.insert(observation, (asker, through));
                if self.room(state, observation) > 0 {
                    return Ok(Some(walk_back(&came, observation)));
                }
                for (index, other) in state.demands.iter().enumerate() {
                    let has = other.given.get(&observation).is_some_and(|times| *times > 0);
                    if has && asked.insert(index) {
                        queue.push_back((index, Some(observation)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn room(&self, state: &State, observation: usize) -> u64 {
        let capacity = self.capacity.get(observation).copied().unwrap_or(0);
        capacity.saturating_sub(state.used.get(&observation).copied().unwrap_or(0))
    }

    /// Moves as much along the path as it carries; says how much.
    fn push(&self, state: &mut State, path: &[(usize, usize)], need: u64) -> u64 {
        let Some((_, end)) = path.last() else { return need };
        let mut amount = need.min(self.room(state, *end));
        // Each expression after the first gives up the observation the one before it takes.
        for ((_, taken), (giver, _)) in path.iter().zip(path.iter().skip(1)) {
            let given = state.demands.get(*giver).and_then(|d| d.given.get(taken));
            amount = amount.min(given.copied().unwrap_or(0));
        }
        for ((_, taken), (giver, _)) in path.iter().zip(path.iter().skip(1)) {
            if let Some(given) = state.demands.get_mut(*giver).and_then(|d| d.given.get_mut(taken))
            {
                *given = given.saturating_sub(amount);
            }
        }
        for (taker, taken) in path {
            if let Some(demand) = state.demands.get_mut(*taker) {
                let given = demand.given.entry(*taken).or_default();
                *given = given.saturating_add(amount);
            }
        }
        let used = state.used.entry(*end).or_default();
        *used = used.saturating_add(amount);
        amount
    }
}

/// The path to an observation, from its beginning.
fn walk_back(came: &BTreeMap<usize, (usize, Option<usize>)>, end: usize) -> Vec<(usize, usize)> {
    let mut path = Vec::new();
    let mut at = Some(end);
    while let Some(observation) = at {
        let Some((asker, through)) = came.get(&observation) else { break };
        path.push((*asker, observation));
        at = *through;
    }
    path.reverse();
    path
}
