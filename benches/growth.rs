//! How planning grows with the tenant: 10 to 500 methods of the user, named locations, or policies. Times are told as
//! ratios to the smallest; growth in proportion would be 50 from first to last. `cargo bench --bench growth`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where something is wrong"
)]

#[expect(dead_code, reason = "this benchmark only plans")]
mod tenant;

use std::time::{Duration, Instant};

use mock_graph::Settings;
use serde_json::{Value, json};
use tenant::{Tenant, reference_case};

const SIZES: [usize; 4] = [10, 50, 200, 500];
const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";

fn main() {
    stanch::transport::install();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{:10} {:>6} {:>9} {:>22}", "objects", "count", "plan", "ratio to the smallest");
    for kind in ["methods", "locations", "policies"] {
        let mut smallest = None;
        for count in SIZES {
            let mut file: Value = serde_json::from_str(&reference_case()).unwrap();
            match kind {
                "methods" => add_methods(&mut file, count),
                "locations" => add_locations(&mut file, count),
                _ => add_policies(&mut file, count),
            }
            let took = runtime.block_on(median_of_five(&file.to_string()));
            let first = *smallest.get_or_insert(took);
            println!(
                "{kind:10} {count:>6} {:>6} ms {:>22.2}",
                took.as_millis(),
                took.as_secs_f64() / first.as_secs_f64()
            );
        }
    }
}

async fn median_of_five(file: &str) -> Duration {
    let tenant = Tenant::start(file, Settings::default()).await;
    let mut times = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        tenant.plan("bec").await;
        times.push(start.elapsed());
    }
    times.sort();
    times[2]
}

fn guid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

fn add_methods(file: &mut Value, count: usize) {
    let methods = file["authenticationMethods"][VICTIM].as_array_mut().unwrap();
    methods.extend((0..count).map(|number| {
        json!({
            "@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod",
            "id": guid(number),
            "createdDateTime": "2024-01-05T08:00:00Z",
            "secretKey": null
        })
    }));
}

fn add_locations(file: &mut Value, count: usize) {
    let template = file["namedLocations"][0].clone();
    let locations = file["namedLocations"].as_array_mut().unwrap();
    locations.extend((0..count).map(|number| {
        let mut location = template.clone();
        location["id"] = json!(guid(number));
        location["displayName"] = json!(format!("Branch {number}"));
        location
    }));
}

fn add_policies(file: &mut Value, count: usize) {
    let template = file["conditionalAccessPolicies"][0].clone();
    let policies = file["conditionalAccessPolicies"].as_array_mut().unwrap();
    policies.extend((0..count).map(|number| {
        let mut policy = template.clone();
        policy["id"] = json!(guid(number));
        policy["displayName"] = json!(format!("Require MFA, group {number}"));
        policy
    }));
}
