//! The workload: records of about 1.2 KB with four index keys and one log entry each. Pure; seeded.

use store::Batch;

/// Records in one commit.
pub const BATCH_RECORDS: u64 = 1_000;
/// How many index keys share one prefix, on average.
pub const CLUSTER_RECORDS: u64 = 20;

const WORDS: [&str; 16] = [
    "arrived",
    "border",
    "cargo",
    "device",
    "observed",
    "vessel",
    "account",
    "transfer",
    "route",
    "warehouse",
    "meeting",
    "courier",
    "permit",
    "alias",
    "harbour",
    "convoy",
];

/// One record with everything that is written beside it.
pub struct Record {
    /// The key of the record itself: a digest, so keys arrive in random order.
    pub key: Vec<u8>,
    /// About 1.2 KB of JSON.
    pub body: Vec<u8>,
    /// Name, kind, due date and neighbour; each ends with the record's digest.
    pub index_keys: [Vec<u8>; 4],
    /// The log entry's key: a rising number.
    pub entry_key: Vec<u8>,
    /// The log entry.
    pub entry: Vec<u8>,
}

/// SplitMix64: the same numbers on every machine.
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn digest(number: u64) -> String {
    (0..4_u64)
        .map(|part| format!("{:016x}", mix(number.wrapping_mul(4).wrapping_add(part))))
        .collect()
}

/// The key of record `number`.
pub fn record_key(number: u64) -> Vec<u8> {
    format!("r/{}", digest(number)).into_bytes()
}

/// The prefix of the name index for cluster `cluster`.
pub fn name_prefix(cluster: u64) -> Vec<u8> {
    format!("x/name/{:016x}/", mix(cluster ^ 0x6e61_6d65)).into_bytes()
}

fn body(number: u64) -> Vec<u8> {
    let mut text = String::with_capacity(1300);
    text.push_str(&format!("{{\"id\":\"report--{}\",\"text\":\"", digest(number)));
    let mut seed = number;
    while text.len() < 1100 {
        seed = mix(seed);
        for shift in [0, 8, 16, 24] {
            let word = (seed >> shift) & 15;
            text.push_str(WORDS.get(word as usize).copied().unwrap_or_default());
            text.push(' ');
        }
        text.push_str(&format!("{:x} ", seed >> 32));
    }
    text.push_str(&format!("\",\"sign\":\"{}\"}}", digest(!number)));
    text.into_bytes()
}

/// Makes record `number` of `total`.
pub fn record(number: u64, total: u64) -> Record {
    let id = digest(number);
    let clusters = (total / CLUSTER_RECORDS).max(1);
    let near = mix(number ^ 0x6e65_6172) % total.max(1);
    let name = String::from_utf8(name_prefix(number % clusters)).unwrap_or_default();
    Record {
        key: record_key(number),
        body: body(number),
        index_keys: [
            format!("{name}{id}").into_bytes(),
            format!("x/kind/{}/{id}", number % 7).into_bytes(),
            format!("x/due/{:010}/{id}", mix(number) % 86_400).into_bytes(),
            format!("x/near/{}/{id}", digest(near)).into_bytes(),
        ],
        entry_key: format!("l/{number:016x}").into_bytes(),
        entry: format!(
            "{{\"entry\":\"stored\",\"of\":\"{id}\",\"by\":\"XA\",\"sum\":\"{}\"}}",
            digest(number ^ 1)
        )
        .into_bytes(),
    }
}

/// The records of one commit.
pub fn records(first: u64, total: u64) -> Vec<Record> {
    (first..first.saturating_add(BATCH_RECORDS)).map(|number| record(number, total)).collect()
}

/// The batch that writes them.
pub fn batch(records: Vec<Record>) -> Batch {
    let mut batch = Batch::new();
    for record in records {
        batch.put(record.key, record.body);
        for key in record.index_keys {
            batch.put(key, Vec::new());
        }
        batch.put(record.entry_key, record.entry);
    }
    batch
}
