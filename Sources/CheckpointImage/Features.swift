/// The feature bits of an image, in three classes as in qcow2 (Spec, "Features and versions").
public struct Features: Hashable, Sendable {
  /// What a reader that lacks a feature must do.
  public enum Class: UInt8, CaseIterable, Sendable {
    /// Refuse the image, naming the feature.
    case incompatible = 0
    /// Nothing: it can be ignored.
    case compatible = 1
    /// Ignore it when reading; leave it out when writing the image anew.
    case dropOnRewrite = 2
  }

  /// A feature that has a bit.
  public struct Feature: Hashable, Sendable {
    /// The class the bit belongs to.
    public var `class`: Class
    /// The bit's number, 0 to 63.
    public var bit: UInt8
    /// The name written into images that use it.
    public var name: String

    /// Makes a feature.
    public init(`class`: Class, bit: UInt8, name: String) {
      self.class = `class`
      self.bit = bit
      self.name = name
    }
  }

  /// The format is not final: written by every version below 1.0.
  public static let draft = Feature(class: .incompatible, bit: 0, name: "draft")

  /// Every feature this library understands.
  public static let known = [draft]

  /// The bits of each class, indexed by the class's number.
  public private(set) var bits: [UInt64] = [0, 0, 0]
  /// The features with their names, by class and bit.
  public private(set) var named: [Feature] = []

  /// No features.
  public init() {}

  /// The given features.
  public init(_ features: [Feature]) {
    for feature in features { insert(feature) }
  }

  /// Adds a feature and its name, unless its bit is set already.
  public mutating func insert(_ feature: Feature) {
    guard !contains(feature) else { return }
    bits[Int(feature.class.rawValue)] |= 1 << UInt64(feature.bit)
    let place = named.firstIndex {
      ($0.class.rawValue, $0.bit) > (feature.class.rawValue, feature.bit)
    }
    named.insert(feature, at: place ?? named.endIndex)
  }

  /// Whether a feature's bit is set.
  public func contains(_ feature: Feature) -> Bool {
    bits[Int(feature.class.rawValue)] & 1 << UInt64(feature.bit) != 0
  }

  /// The names of the features of a class that this library lacks.
  public func unknown(_ class: Class) -> [String] {
    named.filter { $0.class == `class` && !Self.known.contains($0) }.map(\.name)
  }
}
