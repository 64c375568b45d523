// Generic, inlined and closure calls, traits, and a panic that unwinds.
use std::collections::BTreeMap;
use std::fmt::Display;

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        String::from("shape")
    }
}

struct Square(f64);
struct Circle {
    radius: f64,
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        self.radius * self.radius * 3.14
    }
    fn name(&self) -> String {
        format!("circle of {}", self.radius)
    }
}

#[inline(always)]
fn twice<T: Display>(value: T) -> String {
    format!("{value}{value}")
}

#[inline(never)]
fn count(words: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        *counts.entry(twice(word)).or_insert(0) += 1;
    }
    counts
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Circle { radius: 1.5 })];
    let total: f64 = shapes.iter().map(|shape| shape.area()).sum();
    let names: Vec<String> = shapes.iter().map(|shape| shape.name()).collect();
    let caught = std::panic::catch_unwind(|| {
        let empty: Vec<i32> = Vec::new();
        empty[count(&[String::new()]).len()]
    });
    println!("{total} {:?} {}", count(&names), caught.is_err());
}
