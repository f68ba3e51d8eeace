//! The picture: six boxes at fixed places, and the ways between them as the table has them.
//!
//! Boxes and curves are laid by hand; which curves are drawn, and what they are called, comes from the table. A way
//! without a curve fails here, so that the picture cannot leave one out.

use super::{Ways, markdown::summary};
use orderkeep_core::StateName;
use std::fmt::Write as _;

struct Curve {
    from: StateName,
    to: StateName,
    /// From the edge of one box to the edge of the other.
    path: &'static str,
    /// Where its words stand, and how they are aligned there; a shared label stands at one curve of several.
    label: Option<(u32, u32, &'static str)>,
}

const fn curve(
    from: StateName,
    to: StateName,
    path: &'static str,
    label: Option<(u32, u32, &'static str)>,
) -> Curve {
    Curve { from, to, path, label }
}

/// The width and height of a box, and where its upper left corner is.
const BOX: (u32, u32) = (176, 64);

const fn place(state: StateName) -> (u32, u32) {
    match state {
        StateName::Locked => (40, 218),
        StateName::Created => (312, 218),
        StateName::WaitingForWallet => (584, 218),
        StateName::AwaitingPayment => (856, 218),
        StateName::Executed => (856, 40),
        StateName::Failed => (856, 412),
    }
}

const fn meaning(state: StateName) -> &'static str {
    match state {
        StateName::Locked => "the rate is locked",
        StateName::Created => "made at the provider",
        StateName::WaitingForWallet => "address in the making",
        StateName::AwaitingPayment => "the payer\u{2019}s turn",
        StateName::Executed => "sold: the end",
        StateName::Failed => "not sold: the end",
    }
}

/// Every way that may be drawn. The row of life runs from left to right, the ends are above and below it.
const CURVES: [Curve; 14] = {
    use StateName::{AwaitingPayment, Created, Executed, Failed, Locked, WaitingForWallet};
    [
        curve(Locked, Created, "M216 250 H304", Some((260, 238, "middle"))),
        curve(Created, WaitingForWallet, "M488 250 H576", Some((532, 238, "middle"))),
        curve(WaitingForWallet, AwaitingPayment, "M760 250 H848", Some((804, 238, "middle"))),
        // Skipped states: a read finds the order further along. Above the row of life.
        curve(
            Locked,
            WaitingForWallet,
            "M160 218 C200 176 580 176 628 212",
            Some((300, 176, "middle")),
        ),
        curve(Locked, AwaitingPayment, "M130 218 C180 130 820 140 898 211", None),
        curve(Created, AwaitingPayment, "M440 218 C480 172 840 160 884 211", None),
        // The ends.
        curve(AwaitingPayment, Executed, "M960 218 V112", Some((970, 170, "start"))),
        curve(WaitingForWallet, Executed, "M690 218 C700 130 780 96 849 88", None),
        curve(Created, Executed, "M380 218 C400 100 700 72 848 74", None),
        curve(Locked, Executed, "M90 218 C100 60 640 50 848 58", Some((400, 66, "middle"))),
        curve(AwaitingPayment, Failed, "M960 282 V404", Some((970, 350, "start"))),
        curve(WaitingForWallet, Failed, "M690 282 C700 370 780 420 848 428", None),
        curve(Created, Failed, "M400 282 C420 400 700 442 848 444", None),
        curve(Locked, Failed, "M110 282 C130 470 640 466 848 460", Some((560, 480, "middle"))),
    ]
};

/// Plain rules without variables, so that every viewer and converter understands them.
const STYLE: &str = "\
<style>
  .paper { fill: #ffffff; }
  .state { fill: #f5f7fa; stroke: #1f2933; stroke-width: 1.5; }
  .Executed { fill: #e3f6ee; stroke: #0b6e4f; stroke-width: 2.5; }
  .Failed { fill: #fdecea; stroke: #a61b1b; stroke-width: 2.5; }
  .way { fill: none; stroke: #7b8794; stroke-width: 1.25; marker-end: url(#tip); }
  .life { stroke: #1f2933; stroke-width: 2.25; }
  .tip { fill: #52606d; }
  text { font-family: system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2933; }
  .name { font-size: 16px; font-weight: 600; text-anchor: middle; }
  .meaning { font-size: 13px; fill: #52606d; text-anchor: middle; }
  .label { font-size: 12px; fill: #3e4c59; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14181d; }
    .state { fill: #222930; stroke: #e4e7eb; }
    .Executed { fill: #13342a; stroke: #5fd3a4; }
    .Failed { fill: #3d1d1b; stroke: #ff9b93; }
    .way { stroke: #8794a3; }
    .life { stroke: #e4e7eb; }
    .tip { fill: #b0bac5; }
    text { fill: #e4e7eb; }
    .meaning { fill: #b0bac5; }
    .label { fill: #c5ced6; }
  }
</style>
";

/// The ways that most orders take.
const fn is_life(from: StateName, to: StateName) -> bool {
    matches!(
        (from, to),
        (StateName::Locked, StateName::Created)
            | (StateName::Created, StateName::WaitingForWallet)
            | (StateName::WaitingForWallet, StateName::AwaitingPayment)
            | (StateName::AwaitingPayment, StateName::Executed | StateName::Failed)
    )
}

pub(super) fn picture(ways: &Ways) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-40 14 1100 500\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">The six states of an order and the ways between them\
         </title>\n",
    );
    svg.push_str(STYLE);
    svg.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
         <path class=\"tip\" d=\"M0 0 L10 5 L0 10 z\"/></marker></defs>\n\
         <rect class=\"paper\" x=\"-40\" y=\"14\" width=\"1100\" height=\"500\"/>\n\
         <path class=\"way life\" d=\"M-22 250 H32\"/>\n\
         <text class=\"label\" x=\"2\" y=\"238\" text-anchor=\"middle\">submit</text>\n\
         <text class=\"label\" x=\"-22\" y=\"503\">Bold: the way of most orders. Thin: a read finds the order further \
         along (unless labelled otherwise).</text>\n",
    );
    let drawn = |from, to| CURVES.iter().find(|curve| curve.from == from && curve.to == to);
    for (from, to) in ways.keys() {
        let curve = drawn(*from, *to).unwrap_or_else(|| panic!("{from} -> {to} has no curve"));
        let life = if is_life(*from, *to) { " life" } else { "" };
        let _ = writeln!(svg, "<path class=\"way{life}\" d=\"{}\"/>", curve.path);
    }
    for ((from, to), inputs) in ways {
        let Some((x, y, anchor)) = drawn(*from, *to).and_then(|curve| curve.label) else {
            continue;
        };
        let words = summary(inputs.iter().copied());
        let _ = writeln!(
            svg,
            "<text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>"
        );
    }
    for state in StateName::ALL {
        let (x, y) = place(state);
        let (width, height) = BOX;
        let middle = x + width / 2;
        let _ = writeln!(
            svg,
            "<rect class=\"state {state}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n\
             <text class=\"name\" x=\"{middle}\" y=\"{}\">{state}</text>\n\
             <text class=\"meaning\" x=\"{middle}\" y=\"{}\">{}</text>",
            y + 28,
            y + 48,
            meaning(state)
        );
    }
    svg.push_str("</svg>\n");
    svg
}
