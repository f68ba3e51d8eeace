//! Results on stdout.

use comfy_table::{ContentArrangement, Table, presets};
use orderkeep_sim::{Plan, Report, coverage::Cells, explore::Summary};

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
}

pub(crate) fn json(summary: &Summary) {
    match serde_json::to_string(summary) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("the summary cannot be written: {error}"),
    }
}

pub(crate) fn summary(summary: &Summary) {
    table(
        ["seeds", "failures", "seeds/s", "orders", "simulated years"],
        [[
            summary.seeds.to_string(),
            summary.failures.to_string(),
            summary.seeds_per_s.to_string(),
            summary.orders.to_string(),
            summary.simulated_years.to_string(),
        ]],
    );
    let faults = summary.faults.iter().map(|(name, count)| [name.clone(), count.to_string()]);
    table(["fault", "struck"], faults);
    if !summary.failed.is_empty() {
        let failed = summary.failed.iter().take(20).map(|failed| {
            let detail: String = failed.violation.detail.chars().take(160).collect();
            [failed.seed.to_string(), failed.violation.rule.to_owned(), detail]
        });
        table(["seed", "rule", "found"], failed);
    }
}

/// The visited cells: how often an order was changed, left as it is, or refused the input.
pub(crate) fn cells(cells: &Cells) {
    let rows = cells.iter().map(|(cell, visits)| {
        [
            cell.situation.clone(),
            cell.input.clone(),
            visits.moved.to_string(),
            visits.nothing.to_string(),
            visits.refused.to_string(),
        ]
    });
    table(["situation", "input", "changed", "unchanged", "refused"], rows);
}

/// A run from its start to its end.
pub(crate) fn timeline(plan: &Plan, report: &Report) {
    println!("seed {}, twin {:?}", plan.seed, plan.twin.map(orderkeep_sim::Twin::name));
    for (at, fault) in &plan.faults {
        println!("  planned at {at} ms: {fault:?}");
    }
    println!("  network: {:?}", plan.network);
    println!("  creates: {:?}", plan.chances.create);
    println!("  reads:   {:?}", plan.chances.details);
    println!("  webhooks: {:?}\n", plan.chances.webhooks);
    for line in &report.lines {
        println!("{line}");
    }
    match &report.violation {
        None => println!("\nAll is well."),
        Some(violation) => {
            println!("\nBROKEN at {} ms: {}\n  {}", violation.at, violation.rule, violation.detail);
        }
    }
}
