//! `watchfloor policy check`: does a set fit the schema, and does it keep the written guards?

use serde_json::json;
use watchfloor_policy::{Enumeration, Finding, Policies, enumerate};
use watchfloor_policy_proof::{Proof, ProofError, prove};

use super::{Options, load};
use crate::Ended;
use crate::terminal::{plain, print};

/// Runs the command; the worst of all sets is how it ends.
pub fn run(options: &Options) -> anyhow::Result<Ended> {
    let mut ended = Ended::Fine;
    for path in options.sets("check")? {
        let mut set = load::set(path)?;
        let checked = set.policies.as_ref().map(|policies| Checked::new(policies, options));
        let refused = checked.as_ref().is_some_and(|checked| checked.findings().any(Finding::is_error));
        if let Some(checked) = &checked {
            set.findings.extend(checked.findings().cloned());
        }
        for finding in &set.findings {
            if options.json {
                let mut line = serde_json::to_value(finding)?;
                if let Some(object) = line.as_object_mut() {
                    object.insert("set".to_owned(), json!(path.display().to_string()));
                }
                print(&format!("{line}\n"))?;
            } else {
                print(&plain(&set.render(finding)))?;
            }
        }
        if let (Some(policies), Some(checked)) = (&set.policies, &checked) {
            let name = path.display().to_string();
            print(&if options.json { checked.json(&name, policies) } else { plain(&checked.text(&name, policies)) })?;
        }
        ended = ended.max(match &checked {
            None => Ended::Findings,
            Some(_) if refused => Ended::Refused,
            Some(checked) if checked.cannot_verify(options) => Ended::CannotVerify,
            Some(_) => Ended::Fine,
        });
    }
    Ok(ended)
}

/// What both checks showed.
struct Checked {
    tried: Enumeration,
    proof: Result<Proof, ProofError>,
}

impl Checked {
    fn new(policies: &Policies, options: &Options) -> Self {
        Self { tried: enumerate(policies), proof: options.solver().and_then(|solver| prove(policies, &solver)) }
    }

    /// What was found; the grid's doubts about idle policies are settled by a proof.
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        let proved = self.proof.as_ref().ok();
        let doubt = move |finding: &&Finding| finding.is_error() || proved.is_none();
        let same = |finding: &&Finding| !self.tried.findings.iter().any(|tried| tried.message == finding.message);
        let more = proved.into_iter().flat_map(|proof| &proof.findings).filter(same);
        self.tried.findings.iter().filter(doubt).chain(more)
    }

    /// A solver that is there and gives no answer is told as strictly as one that was asked for and is not there.
    fn cannot_verify(&self, options: &Options) -> bool {
        match &self.proof {
            Ok(_) => false,
            Err(ProofError::NoSolver(_)) => options.prove,
            Err(_) => true,
        }
    }

    fn text(&self, name: &str, policies: &Policies) -> String {
        let walked = self.tried.walked;
        let cut = if walked.cut { ", and there were more" } else { "" };
        let mut text = format!("{name}: {} policies, hash {}\n", policies.ids().count(), policies.hash());
        text.push_str(&format!("  tried: {} requests{cut}; {} allowed\n", walked.requests, self.tried.allowed));
        text.push_str(&match &self.proof {
            Ok(proof) if proof.findings.is_empty() => {
                format!("  proved: for every request, by {} in {} questions\n", proof.solver, proof.questions)
            }
            Ok(proof) => format!("  not proved: {} has shown what does not hold\n", proof.solver),
            Err(error) => format!("  not proved: {}; nothing is known beyond the requests tried\n", chain(error)),
        });
        text
    }

    fn json(&self, name: &str, policies: &Policies) -> String {
        let proof = match &self.proof {
            Ok(proof) => {
                json!({"ran": true, "holds": proof.findings.is_empty(), "solver": proof.solver, "questions": proof.questions})
            }
            Err(error) => json!({"ran": false, "code": error.code(), "why": chain(error)}),
        };
        let tried = json!({"requests": self.tried.walked.requests, "cut": self.tried.walked.cut, "allowed": self.tried.allowed});
        let hash = policies.hash().to_string();
        format!(
            "{}\n",
            json!({"set": name, "policies": policies.ids().count(), "hash": hash, "tried": tried, "proof": proof})
        )
    }
}

/// An error with what is behind it.
pub fn chain(error: &ProofError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}
