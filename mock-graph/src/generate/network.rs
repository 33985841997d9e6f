//! Where sign-ins come from: cities with their providers, data centres, and addresses that are given out once.
//!
//! The ranges are ones that such providers have; none is Microsoft's, private or reserved. Who a line belongs to in a
//! case is made up.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::chance::Chance;

/// A place as the log tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) country: &'static str,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    /// Hours that its clocks are ahead of UTC.
    pub(super) offset: i64,
}

/// A provider: its number, and the first half of the addresses that it has there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Provider(pub(super) i64, pub(super) u8, pub(super) u8);

/// A city where people live and work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct City {
    pub(super) place: Place,
    /// Lines into homes.
    pub(super) homes: [Provider; 2],
    pub(super) mobile: Provider,
    pub(super) business: Provider,
}

const fn place(
    city: &'static str,
    state: &'static str,
    country: &'static str,
    latitude: f64,
    longitude: f64,
    offset: i64,
) -> Place {
    Place { city, state, country, latitude, longitude, offset }
}

pub(super) const CITIES: [City; 7] = [
    City {
        place: place("Seattle", "Washington", "US", 47.61, -122.33, -8),
        homes: [Provider(7922, 73, 11), Provider(209, 71, 212)],
        mobile: Provider(21928, 172, 58),
        business: Provider(7018, 12, 190),
    },
    City {
        place: place("Chicago", "Illinois", "US", 41.88, -87.63, -6),
        homes: [Provider(7922, 73, 45), Provider(7018, 99, 33)],
        mobile: Provider(22394, 174, 206),
        business: Provider(7922, 50, 76),
    },
    City {
        place: place("Austin", "Texas", "US", 30.27, -97.74, -6),
        homes: [Provider(11427, 70, 112), Provider(7018, 99, 73)],
        mobile: Provider(21928, 172, 56),
        business: Provider(11427, 24, 153),
    },
    City {
        place: place("Berlin", "Berlin", "DE", 52.52, 13.40, 1),
        homes: [Provider(3209, 88, 130), Provider(3320, 87, 123)],
        mobile: Provider(3320, 80, 187),
        business: Provider(3320, 62, 153),
    },
    City {
        place: place("Amsterdam", "Noord-Holland", "NL", 52.37, 4.89, 1),
        homes: [Provider(33915, 84, 28), Provider(1136, 77, 161)],
        mobile: Provider(15480, 62, 140),
        business: Provider(1136, 195, 240),
    },
    City {
        place: place("London", "England", "GB", 51.51, -0.13, 0),
        homes: [Provider(2856, 86, 160), Provider(5089, 82, 38)],
        mobile: Provider(12576, 31, 94),
        business: Provider(2856, 213, 120),
    },
    City {
        place: place("Toronto", "Ontario", "CA", 43.65, -79.38, -5),
        homes: [Provider(812, 99, 224), Provider(577, 70, 48)],
        mobile: Provider(812, 72, 136),
        business: Provider(577, 209, 226),
    },
];

/// Where people travel to: a hotel's line.
pub(super) const AWAY: [(Place, Provider); 6] = [
    (place("Lisbon", "Lisboa", "PT", 38.72, -9.14, 0), Provider(3243, 85, 240)),
    (place("Madrid", "Madrid", "ES", 40.42, -3.70, 1), Provider(3352, 80, 30)),
    (place("New York", "New York", "US", 40.71, -74.01, -5), Provider(701, 72, 80)),
    (place("San Diego", "California", "US", 32.72, -117.16, -8), Provider(22773, 68, 7)),
    (place("Vienna", "Wien", "AT", 48.21, 16.37, 1), Provider(8447, 80, 120)),
    (place("Oslo", "Oslo", "NO", 59.91, 10.75, 1), Provider(2119, 84, 208)),
];

/// Data centres, where intruders rent, and others too.
pub(super) const HOSTS: [(Place, Provider); 12] = [
    (place("Dallas", "Texas", "US", 32.78, -96.80, -6), Provider(60068, 89, 187)),
    (place("New York", "New York", "US", 40.71, -74.01, -5), Provider(60068, 212, 102)),
    (place("Miami", "Florida", "US", 25.76, -80.19, -5), Provider(60068, 156, 146)),
    (place("Frankfurt am Main", "Hessen", "DE", 50.11, 8.68, 1), Provider(9009, 37, 120)),
    (place("Bucharest", "Bucuresti", "RO", 44.43, 26.10, 2), Provider(9009, 146, 70)),
    (place("Stockholm", "Stockholms Lan", "SE", 59.33, 18.07, 1), Provider(9009, 193, 29)),
    (place("Chicago", "Illinois", "US", 41.88, -87.63, -6), Provider(61317, 181, 214)),
    (place("Helsinki", "Uusimaa", "FI", 60.17, 24.94, 2), Provider(24940, 95, 216)),
    (place("Gravelines", "Hauts-de-France", "FR", 50.99, 2.13, 1), Provider(16276, 146, 59)),
    (place("North Bergen", "New Jersey", "US", 40.80, -74.01, -5), Provider(14061, 167, 99)),
    (place("Singapore", "Central Singapore", "SG", 1.29, 103.85, 8), Provider(14061, 206, 189)),
    (place("Piscataway", "New Jersey", "US", 40.55, -74.46, -5), Provider(20473, 149, 28)),
];

/// The same with the newer addresses.
const HOSTS_SIX: [(Place, i64, &str); 3] = [
    (place("Falkenstein", "Sachsen", "DE", 50.48, 12.37, 1), 24940, "2a01:4f8"),
    (place("Clifton", "New Jersey", "US", 40.86, -74.16, -5), 14061, "2604:a880"),
    (place("Amsterdam", "Noord-Holland", "NL", 52.37, 4.89, 1), 20473, "2001:19f0"),
];

/// A line: an address with its network and place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) ip: String,
    pub(super) asn: i64,
    pub(super) place: Place,
}

impl Line {
    /// `location` of a row.
    pub(super) fn location(&self) -> Value {
        json!({
            "city": self.place.city, "state": self.place.state, "countryOrRegion": self.place.country,
            "geoCoordinates": { "altitude": null, "latitude": self.place.latitude, "longitude": self.place.longitude }
        })
    }

    /// Its address as logs mask it; none for the newer addresses, whose masking is not known.
    pub(super) fn masked(ip: &str) -> Option<String> {
        ip.rsplit_once('.').map(|(front, _)| format!("{front}.XXX"))
    }
}

/// Gives out addresses: no two of one /24, unless they are asked for.
#[derive(Debug, Default)]
pub(super) struct Addresses(BTreeSet<(u8, u8, u8)>);

impl Addresses {
    fn third(&mut self, chance: &mut Chance, provider: Provider) -> u8 {
        loop {
            // A provider's range is far larger than a case, so this ends.
            let third = u8::try_from(chance.between(1, 250)).unwrap_or(1);
            if self.0.insert((provider.1, provider.2, third)) {
                return third;
            }
        }
    }

    /// A line of a provider.
    pub(super) fn line(&mut self, chance: &mut Chance, provider: Provider, place: Place) -> Line {
        let third = self.third(chance, provider);
        let Provider(asn, first, second) = provider;
        Line { ip: format!("{first}.{second}.{third}.{}", chance.between(2, 250)), asn, place }
    }

    /// So many lines of one /24.
    pub(super) fn lines(
        &mut self,
        chance: &mut Chance,
        provider: Provider,
        place: Place,
        count: usize,
    ) -> Vec<Line> {
        let third = self.third(chance, provider);
        let Provider(asn, first, second) = provider;
        let mut lasts: Vec<i64> = (2..=250).collect();
        chance.shuffle(&mut lasts);
        let lines = lasts.into_iter().take(count);
        lines.map(|last| Line { ip: format!("{first}.{second}.{third}.{last}"), asn, place }).collect()
    }

    /// A line of a data centre.
    pub(super) fn hosted(&mut self, chance: &mut Chance) -> Line {
        let (place, provider) = chance.pick(&HOSTS);
        self.line(chance, provider, place)
    }

    /// The same with one of the newer addresses.
    pub(super) fn hosted_six(chance: &mut Chance) -> Line {
        let (place, asn, front) = chance.pick(&HOSTS_SIX);
        // No group begins with a zero, so that the text is the canonical one.
        let group = |chance: &mut Chance| format!("{}{}", chance.text("123456789abcdef", 1), chance.hex(3));
        let groups: Vec<String> = (0..6).map(|_| group(chance)).collect();
        Line { ip: format!("{front}:{}", groups.join(":")), asn, place }
    }
}
