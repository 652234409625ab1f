//! With a profile: which code made the blocks that keep pages. What a class's blocks keep is shared out to the sites that, by the profile,
//! have live blocks of that size, by their number; where none has, to all of them: one site may make blocks of many sizes.

use std::collections::HashMap;
use std::path::Path;

use super::lines::Detail;
use crate::error::Result;
use crate::profile::book::Book;
use crate::profile::pprof::Raw;
use crate::profile::sites::site;
use crate::profile::symbols::Resolver;
use crate::top::report::Report;
use crate::units;

/// A site's live blocks.
struct Site {
    name: String,
    bytes: u64,
    blocks: u64,
}

pub(crate) fn pinned(file: &Path, report: &Report) -> Result<Vec<Detail>> {
    let sites = live(file)?;
    let sizes: Vec<u64> = report.classes.iter().map(|class| class.block_size).collect();
    // The class of its blocks, if they are of one size.
    let class = |site: &Site| {
        // Bytes and blocks are estimates, rounded each.
        let size = site.bytes as f64 / site.blocks.max(1) as f64 * 0.99;
        sizes.partition_point(|&block| (block as f64) < size)
    };
    let mut shares = vec![0.0; sites.len()];
    for (index, pinned) in report.classes.iter().map(|class| class.pinned_bytes as f64).enumerate() {
        let all = || 0..sites.len();
        let of_class = |site: &usize| sites.get(*site).is_some_and(|site| class(site) == index);
        let some: Vec<usize> =
            if all().any(|site| of_class(&site)) { all().filter(of_class).collect() } else { all().collect() };
        let blocks = |site: usize| sites.get(site).map_or(0.0, |site| site.blocks as f64);
        let sum: f64 = some.iter().map(|&site| blocks(site)).sum();
        for site in some {
            if let Some(share) = shares.get_mut(site).filter(|_| sum > 0.0) {
                *share += pinned * blocks(site) / sum;
            }
        }
    }
    let detail = |(site, share): (&Site, f64)| {
        let (bytes, blocks) = (share.round() as u64, units::count(site.blocks));
        Detail { bytes, what: format!("{} by some {blocks} blocks that {} made", units::bytes(share), site.name) }
    };
    Ok(sites.iter().zip(shares).map(detail).collect())
}

/// Sites with live blocks, as the profile has them.
fn live(file: &Path) -> Result<Vec<Site>> {
    let (mut book, mut resolver) = (Book::new(), Resolver::default());
    book.add(&Raw::read(file)?, &mut resolver, file.display().to_string(), 0)?;
    let mut sites: HashMap<String, (u64, u64)> = HashMap::new();
    let values = book.snapshots.first().map(|snapshot| &snapshot.values).into_iter().flatten();
    for (&stack, &[bytes, blocks, ..]) in values.filter(|(_, values)| values.iter().take(2).all(|&value| value > 0)) {
        let Some(&stack) = book.stacks.get(stack) else { continue };
        let sum = sites.entry(name(&book, stack)).or_default();
        (sum.0, sum.1) = (sum.0 + bytes, sum.1 + blocks);
    }
    Ok(sites.into_iter().map(|(name, (bytes, blocks))| Site { name, bytes, blocks }).collect())
}

fn name(book: &Book, stack: crate::profile::book::Stack) -> String {
    let Some((_, frame)) = site(book, stack) else { return "code without a name".to_owned() };
    let Some(function) = book.function(frame) else { return "code without a name".to_owned() };
    let file = function.file.rsplit('/').next().unwrap_or_default();
    if file.is_empty() { function.name.clone() } else { format!("{} ({file}:{})", function.name, frame.line) }
}
