//! What a tenant has: assets, under all their spellings, how much depends on them, and what they depend on.
//!
//! A target of a plan is a kind and a name in any spelling. It resolves to one asset, or to nothing that is known, and that is of tier 0. Where a name could
//! mean several assets it is none of them. Names are compared after Unicode's compatibility composition, in lower case, without the dot at their end; a
//! letter of another script that looks the same is another letter, and so the name of nothing.
//!
//! What stands in something is as protected as that: `file:ws-17/C:\a.exe` and `process:ws-17/4711` are of their host's tier, `message:bob@example.com/17`
//! of the account's. Addresses, domains and hashes of nobody that the house knows are of [`Parts::outside`]'s tier; addresses that no stranger can have
//! (private ones, loopback, link-local, multicast) are not.

mod spelling;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Kind, Tier};
use watchfloor_model::ids::{EntityId, PersonId};

use self::spelling::{address, domain_is_whole, is_of_nobody, labels, spelled};

/// Most assets (`inventory.too_large`).
pub const ASSETS_MAX: usize = 1_000_000;

/// Tags that the house itself gives a meaning to.
pub mod tags {
    /// Collects or keeps what happened.
    pub const TELEMETRY: &str = "telemetry";
    /// Says who is who.
    pub const IDENTITY_PROVIDER: &str = "identity_provider";
    /// Runs other machines.
    pub const MANAGEMENT_PLANE: &str = "management_plane";
    /// The way by which actions are done.
    pub const RESPONSE_CHANNEL: &str = "response_channel";
}

/// Something that the house knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// What the inventory calls it, without its kind.
    pub name: String,
    /// Other names: with the domain, addresses, names of accounts, identifiers.
    #[serde(default)]
    pub names: Vec<String>,
    /// How much depends on it; 0 if nobody said.
    #[serde(default)]
    pub tier: Tier,
    /// What it is.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<PersonId>,
    /// What it needs: one of each list.
    #[serde(default)]
    pub needs: Vec<Vec<EntityId>>,
}

/// Something that must stay reachable, whatever is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// What it is called.
    pub name: String,
    /// The assets that keep it up.
    pub members: BTreeSet<EntityId>,
    /// How many of them must stay.
    pub least: usize,
}

/// An inventory as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parts {
    /// Assets by kind.
    pub assets: BTreeMap<Kind, Vec<Asset>>,
    /// What must stay reachable.
    pub paths: Vec<Path>,
    /// How protected addresses, domains and hashes are that belong to nobody the house knows.
    pub outside: Outside,
}

/// How protected the outside is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outside {
    /// Addresses that a stranger can have.
    pub address: Tier,
    /// Domains.
    pub domain: Tier,
    /// Files by their hash.
    pub hash: Tier,
}

impl Default for Outside {
    fn default() -> Self {
        Self { address: Tier::Three, domain: Tier::Three, hash: Tier::Two }
    }
}

/// What a target is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its one name.
    pub id: EntityId,
    /// What it is.
    pub kind: Kind,
    /// The asset that it is, or stands in; none if nobody knows it.
    pub asset: Option<EntityId>,
    /// How protected it is.
    pub tier: Tier,
}

/// Why a target is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// It has no kind that exists.
    Kind,
    /// It has no name, or one with characters that names do not have.
    Name,
}

/// What a tenant has.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    assets: BTreeMap<EntityId, (Kind, Asset)>,
    /// Assets by spelling; none where several have it.
    names: HashMap<(Kind, String), Option<EntityId>>,
    addresses: HashMap<IpAddr, Option<EntityId>>,
    /// Domains that stand above one that is known, with the most protected of those.
    above: HashMap<String, EntityId>,
    /// For each asset those that need it, perhaps among others.
    needed_by: BTreeMap<EntityId, Vec<EntityId>>,
    paths: Vec<Path>,
    outside: Outside,
    hosts: usize,
}

impl Inventory {
    /// Makes the indexes. What means nothing is told, and left out.
    #[must_use]
    pub fn new(parts: Parts) -> (Self, Vec<String>) {
        Self::bounded(parts, ASSETS_MAX)
    }

    fn bounded(parts: Parts, most: usize) -> (Self, Vec<String>) {
        let mut inventory = Self { outside: parts.outside, ..Self::default() };
        let mut told = Vec::new();
        for (kind, assets) in parts.assets {
            for asset in assets {
                let id = id_of(kind, &spelled(kind, &asset.name));
                if asset.name.is_empty() || inventory.assets.contains_key(&id) || inventory.assets.len() >= most {
                    told.push(format!("inventory.asset: {id} has no name, or is there already, or is one too many"));
                    continue;
                }
                inventory.index(kind, &id, &asset);
                inventory.hosts += usize::from(kind == Kind::Host);
                inventory.assets.insert(id, (kind, asset));
            }
        }
        inventory.climb();
        for (id, (_, asset)) in &inventory.assets {
            for need in asset.needs.iter().flatten() {
                inventory.needed_by.entry(need.clone()).or_default().push(id.clone());
            }
        }
        for path in parts.paths {
            let missing: Vec<&str> =
                path.members.iter().filter(|id| !inventory.assets.contains_key(id)).map(EntityId::as_str).collect();
            if !missing.is_empty() || path.least == 0 || path.least > path.members.len() {
                told.push(format!(
                    "inventory.path: {}: members are not there ({}), or it needs {} of {}",
                    path.name,
                    missing.join(", "),
                    path.least,
                    path.members.len()
                ));
            }
            // A path that cannot be right is kept: it is not reachable, and so nothing may be done that needs it.
            inventory.paths.push(path);
        }
        (inventory, told)
    }

    /// As it is written, without what meant nothing.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let mut assets: BTreeMap<Kind, Vec<Asset>> = BTreeMap::new();
        for (_, kind, asset) in self.assets() {
            assets.entry(kind).or_default().push(asset.clone());
        }
        Parts { assets, paths: self.paths.clone(), outside: self.outside }
    }

    fn index(&mut self, kind: Kind, id: &EntityId, asset: &Asset) {
        let mut put = |kind: Kind, name: &str| {
            let known = self.names.entry((kind, spelled(kind, name))).or_insert_with(|| Some(id.clone()));
            if known.as_ref() != Some(id) {
                *known = None;
            }
        };
        for name in asset.names.iter().chain([&asset.name]) {
            put(kind, name);
            if let Some(address) = address(name) {
                let known = self.addresses.entry(address).or_insert_with(|| Some(id.clone()));
                if known.as_ref() != Some(id) {
                    *known = None;
                }
            }
        }
    }

    /// Blocking what stands above a domain blocks the domain.
    fn climb(&mut self) {
        for (id, (kind, asset)) in &self.assets {
            for name in asset.names.iter().chain([&asset.name]).filter(|_| *kind == Kind::Domain) {
                for above in labels(&spelled(Kind::Domain, name)).skip(1) {
                    let known = self.above.entry(above.to_owned()).or_insert_with(|| id.clone());
                    let tier = |id: &EntityId| self.assets.get(id).map_or(Tier::Zero, |(_, asset)| asset.tier);
                    if asset.tier < tier(known) {
                        *known = id.clone();
                    }
                }
            }
        }
    }

    /// An asset.
    #[must_use]
    pub fn asset(&self, id: &EntityId) -> Option<&Asset> {
        self.assets.get(id).map(|(_, asset)| asset)
    }

    /// All assets, by their ids.
    pub fn assets(&self) -> impl Iterator<Item = (&EntityId, Kind, &Asset)> {
        self.assets.iter().map(|(id, (kind, asset))| (id, *kind, asset))
    }

    /// Assets that need one, perhaps among others.
    pub(crate) fn needed_by(&self, id: &EntityId) -> impl Iterator<Item = &EntityId> {
        self.needed_by.get(id).into_iter().flatten()
    }

    /// What must stay reachable.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// How many hosts there are.
    #[must_use]
    pub fn hosts(&self) -> usize {
        self.hosts
    }

    /// What a target of a plan is: its kind, a colon, and its name in any spelling.
    ///
    /// # Errors
    ///
    /// It has no kind or no name.
    pub fn resolve(&self, target: &str) -> Result<Target, NoTarget> {
        let (kind, name) = target.split_once(':').ok_or(NoTarget::Kind)?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or(NoTarget::Kind)?;
        let name = name.trim();
        if name.is_empty() || name.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(NoTarget::Name);
        }
        Ok(match kind {
            Kind::Address => self.of_address(name),
            Kind::Domain => self.of_domain(name),
            Kind::Hash => self.of_hash(name),
            Kind::File | Kind::Process => self.within(kind, Kind::Host, name),
            Kind::Message | Kind::MailboxRule => self.within(kind, Kind::Account, name),
            Kind::Host | Kind::Account => self.of_name(kind, name),
            Kind::Ticket | Kind::Recipient | Kind::Case => {
                Target { id: id_of(kind, &spelled(kind, name)), kind, asset: None, tier: Tier::Three }
            }
        })
    }

    fn known(&self, kind: Kind, id: &EntityId) -> Target {
        Target {
            id: id.clone(),
            kind,
            asset: Some(id.clone()),
            tier: self.asset(id).map_or(Tier::Zero, |asset| asset.tier),
        }
    }

    fn unknown(kind: Kind, name: &str) -> Target {
        Target { id: id_of(kind, &spelled(kind, name)), kind, asset: None, tier: Tier::Zero }
    }

    fn of_name(&self, kind: Kind, name: &str) -> Target {
        if let Some(address) = address(name).filter(|_| kind == Kind::Host) {
            return match self.addresses.get(&address) {
                Some(Some(id)) => self.known(kind, id),
                _ => Self::unknown(kind, &address.to_string()),
            };
        }
        match self.names.get(&(kind, spelled(kind, name))) {
            Some(Some(id)) => self.known(kind, id),
            _ => Self::unknown(kind, name),
        }
    }

    fn of_address(&self, name: &str) -> Target {
        let Some(address) = address(name) else { return Self::unknown(Kind::Address, name) };
        let mut target = Self::unknown(Kind::Address, &address.to_string());
        match self.addresses.get(&address) {
            Some(Some(id)) => {
                target.asset = Some(id.clone());
                target.tier = self.known(Kind::Address, id).tier;
            }
            Some(None) => {}
            None if is_of_nobody(address) => {}
            None => target.tier = self.outside.address,
        }
        target
    }

    fn of_domain(&self, name: &str) -> Target {
        let name = spelled(Kind::Domain, name);
        let mut target = Self::unknown(Kind::Domain, &name);
        if !domain_is_whole(&name) {
            return target;
        }
        // The domain itself, one that it stands in, or one that stands in it.
        let listed = labels(&name).find_map(|part| self.names.get(&(Kind::Domain, part.to_owned())).cloned());
        match listed.or_else(|| self.above.get(&name).cloned().map(Some)) {
            Some(Some(id)) => {
                target.tier = self.known(Kind::Domain, &id).tier;
                target.asset = Some(id);
            }
            Some(None) => {}
            None => target.tier = self.outside.domain,
        }
        target
    }

    fn of_hash(&self, name: &str) -> Target {
        let spelled = spelled(Kind::Hash, name);
        if spelled.len() != 64 || !spelled.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::unknown(Kind::Hash, name);
        }
        match self.names.get(&(Kind::Hash, spelled)) {
            Some(Some(id)) => self.known(Kind::Hash, id),
            Some(None) => Self::unknown(Kind::Hash, name),
            None => Target { tier: self.outside.hash, ..Self::unknown(Kind::Hash, name) },
        }
    }

    /// Something in something else: `ws-17/4711`.
    fn within(&self, kind: Kind, outer: Kind, name: &str) -> Target {
        if let Some(Some(id)) = self.names.get(&(kind, spelled(kind, name))) {
            return self.known(kind, id);
        }
        let (place, rest) = name.split_once('/').unwrap_or((name, ""));
        let outer = self.of_name(outer, place);
        let place = outer.id.as_str().split_once(':').map_or("", |(_, name)| name);
        let id = id_of(kind, &format!("{place}/{}", spelled(kind, rest)));
        // Without what it is in there, it could be anything.
        let tier = if rest.is_empty() { Tier::Zero } else { outer.tier };
        Target { id, kind, asset: outer.asset, tier }
    }
}

fn id_of(kind: Kind, name: &str) -> EntityId {
    EntityId(format!("{}:{name}", kind.name()))
}

/// Characters that make two names look the same.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
