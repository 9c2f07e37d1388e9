/// The feature bits of an image, in three classes as in qcow2 (Spec, "Features").
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
  }

  /// The format is not final: written by every version below 1.0.
  public static let draft = Feature(class: .incompatible, bit: 0, name: "draft")

  /// Every feature this library understands.
  public static let known = [draft]

  /// The bits of each class, indexed by the class's number.
  public private(set) var bits: [UInt64] = [0, 0, 0]
  /// The names found in the file, of known and of unknown features.
  public private(set) var named: [Feature] = []

  /// No features.
  public init() {}

  /// The given features.
  public init(_ features: [Feature]) {
    for feature in features { insert(feature) }
  }

  init(bits: [UInt64], named: [Feature]) {
    self.bits = bits
    self.named = named
  }

  /// Adds a feature and its name.
  public mutating func insert(_ feature: Feature) {
    bits[Int(feature.class.rawValue)] |= 1 << UInt64(feature.bit)
    named.append(feature)
  }

  /// Whether a feature's bit is set.
  public func contains(_ feature: Feature) -> Bool {
    bits[Int(feature.class.rawValue)] & 1 << UInt64(feature.bit) != 0
  }

  /// The names of the features of a class that this library lacks; the bit's number where the file
  /// gives no name.
  public func unknown(_ class: Class) -> [String] {
    (0..<64).compactMap { bit in
      guard bits[Int(`class`.rawValue)] & 1 << UInt64(bit) != 0,
        !Self.known.contains(where: { $0.class == `class` && $0.bit == bit })
      else { return nil }
      return named.first { $0.class == `class` && $0.bit == bit }?.name ?? "bit \(bit)"
    }
  }
}
