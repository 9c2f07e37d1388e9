/// The feature bits of an image, in three classes as in qcow2 (Spec, "Features and versions").
package struct Features: Hashable, Sendable {
  /// What a reader that lacks a feature must do.
  package enum Class: UInt8, CaseIterable, Sendable {
    /// Refuse the image, naming the feature.
    case incompatible = 0
    /// Nothing: it can be ignored.
    case compatible = 1
    /// Ignore it when reading; leave it out when writing the image anew.
    case dropOnRewrite = 2
  }

  /// A feature that has a bit.
  package struct Feature: Hashable, Sendable {
    /// The class the bit belongs to.
    package var `class`: Class
    /// The bit's number, 0 to 63.
    package var bit: UInt8
    /// The name written into images that use it.
    package var name: String

    /// Makes a feature.
    package init(`class`: Class, bit: UInt8, name: String) {
      self.class = `class`
      self.bit = bit
      self.name = name
    }
  }

  /// The format is not final: written by every version below 1.0.
  package static let draft = Feature(class: .incompatible, bit: 0, name: "draft")

  /// Every feature this library understands.
  package static let known = [draft]

  /// The bits of each class, indexed by the class's number.
  package private(set) var bits: [UInt64] = [0, 0, 0]
  /// The features with their names, by class and bit.
  package private(set) var named: [Feature] = []

  /// No features.
  package init() {}

  /// The given features.
  package init(_ features: [Feature]) {
    for feature in features { insert(feature) }
  }

  /// Adds a feature and its name, unless its bit is set already.
  package mutating func insert(_ feature: Feature) {
    guard !contains(feature) else { return }
    bits[Int(feature.class.rawValue)] |= 1 << UInt64(feature.bit)
    let place = named.firstIndex {
      ($0.class.rawValue, $0.bit) > (feature.class.rawValue, feature.bit)
    }
    named.insert(feature, at: place ?? named.endIndex)
  }

  /// Whether a feature's bit is set.
  package func contains(_ feature: Feature) -> Bool {
    bits[Int(feature.class.rawValue)] & 1 << UInt64(feature.bit) != 0
  }

  /// The names of the features of a class that this library lacks.
  package func unknown(_ class: Class) -> [String] {
    named.filter { $0.class == `class` && !Self.known.contains($0) }.map(\.name)
  }
}
