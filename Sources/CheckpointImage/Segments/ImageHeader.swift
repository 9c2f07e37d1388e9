/// The body of the first segment (Spec, "Header").
package struct ImageHeader: Hashable, Sendable {
  /// The processor architecture of the guest.
  package enum Architecture: UInt16, Sendable {
    case unspecified = 0
    case x86 = 1
  }

  /// What a PFN of the image counts.
  package enum AddressSpace: UInt16, Sendable {
    /// Guest-physical frames; pseudo-physical ones for a Xen PV guest.
    case guestPhysical = 1
  }

  /// The major version this library writes and reads.
  package static let majorVersion: UInt16 = 0
  /// The minor version this library writes.
  package static let minorVersion: UInt16 = 9

  private static let incrementFlag: UInt16 = 1
  private static let ascendingFlag: UInt16 = 2
  private static let fixedSize = 96

  /// The minor version in the file.
  package var minorVersion = Self.minorVersion
  /// Segments start at multiples of 2 to this power.
  package var alignmentShift: UInt8 = 3
  /// The guest's architecture.
  package var architecture: Architecture
  /// What PFNs count.
  package var addressSpace = AddressSpace.guestPhysical
  /// The writer enforced that PFNs ascend and none comes twice.
  package var ascendingUnique: Bool
  /// Feature bits with their names.
  package var features = Features([Features.draft])
  /// 16 random bytes, made once for each capture; kept by every rewrite of the same moment.
  package var captureID: [UInt8]
  /// The checkpoint ID of the parent; nil for a base.
  package var parent: Digest?
  /// The file name the parent had, a hint only; empty for a base.
  package var parentName: String

  /// Makes a header.
  package init(
    architecture: Architecture, captureID: [UInt8], parent: Digest? = nil, parentName: String = "",
    ascendingUnique: Bool = false
  ) {
    self.architecture = architecture
    self.captureID = captureID
    self.parent = parent
    self.parentName = parentName
    self.ascendingUnique = ascendingUnique
  }

  /// Reads and checks the header at `offset`; unknown incompatible features are refused by name.
  package init(parsing bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(bytes, structure: "header", at: offset)
    let major: UInt16 = try reader.read()
    minorVersion = try reader.read()
    guard major == Self.majorVersion else {
      throw CheckpointError(
        .unsupported, "format version \(major).\(minorVersion): this program reads version 0",
        structure: "header", offset: offset)
    }
    // The header's own layout may differ in a version before 1.0: only 0.9 is read.
    guard minorVersion == Self.minorVersion else {
      throw CheckpointError(
        .unsupported, "format version 0.\(minorVersion): this program reads 0.9",
        structure: "header", offset: offset)
    }
    try reader.expect("page shift", try reader.read(UInt8.self), Limits.pageShift)
    alignmentShift = try reader.read()
    try reader.expect("alignment shift", alignmentShift, in: Limits.alignmentShifts)
    let rawArchitecture: UInt16 = try reader.read()
    guard let architecture = Architecture(rawValue: rawArchitecture) else {
      throw CheckpointError(
        .unsupported, "architecture \(rawArchitecture)", structure: "header", offset: offset)
    }
    self.architecture = architecture
    let rawSpace: UInt16 = try reader.read()
    guard let addressSpace = AddressSpace(rawValue: rawSpace) else {
      throw CheckpointError(
        .unsupported, "address space \(rawSpace)", structure: "header", offset: offset)
    }
    self.addressSpace = addressSpace
    let flags: UInt16 = try reader.read()
    try reader.expect("flags", flags, in: 0...3)
    let nameCount = Int(try reader.read(UInt32.self))
    // Up to 64 bits in each of three classes.
    try reader.expect("feature names", nameCount, in: 0...192)
    let bits = [
      try reader.read(UInt64.self), try reader.read(UInt64.self), try reader.read(UInt64.self),
    ]
    captureID = try reader.readBytes(16)
    let parentID = try reader.readDigest()
    let nameLength = Int(try reader.read(UInt32.self))
    try reader.expect("parent name length", nameLength, in: 0...Limits.maximumName)
    try reader.zeros(4, "reserved")
    parentName = try reader.readText(nameLength, "parent name")
    // A name that leads into another folder could make a reader open any file.
    guard parentName.utf8.allSatisfy({ $0 != 0 && $0 != 0x2f }), parentName != ".",
      parentName != ".."
    else { throw reader.damaged("parent name is not the name of a file") }
    var named: [Features.Feature] = []
    for _ in 0..<nameCount {
      let rawClass: UInt8 = try reader.read()
      let bit: UInt8 = try reader.read()
      let length = Int(try reader.read(UInt16.self))
      guard let featureClass = Features.Class(rawValue: rawClass), bit < 64 else {
        throw reader.damaged("feature name for class \(rawClass), bit \(bit)")
      }
      try reader.expect("feature name length", length, in: 1...Limits.maximumName)
      let name = try reader.readText(length, "feature name")
      named.append(Features.Feature(class: featureClass, bit: bit, name: name))
    }
    try reader.end()
    features = Features(named)
    guard features.named == named, features.bits == bits else {
      throw reader.damaged("the feature names are not those of the bits that are set, in order")
    }
    ascendingUnique = flags & Self.ascendingFlag != 0
    if flags & Self.incrementFlag != 0 {
      guard parentID != .zero else { throw reader.damaged("an increment without a parent's ID") }
      parent = parentID
    } else {
      guard parentID == .zero, parentName.isEmpty else {
        throw reader.damaged("a base that names a parent")
      }
      parent = nil
    }
    let unknown = features.unknown(.incompatible)
    guard unknown.isEmpty else {
      throw CheckpointError(
        .unsupported, "needs features this program lacks: \(unknown.joined(separator: ", "))",
        structure: "header", offset: offset)
    }
    try reader.expect("draft feature", features.contains(Features.draft), true)
  }

  /// The header's body.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Self.fixedSize + parentName.utf8.count + 64)
    writer.write(Self.majorVersion)
    writer.write(Self.minorVersion)
    writer.write(Limits.pageShift)
    writer.write(alignmentShift)
    writer.write(architecture.rawValue)
    writer.write(addressSpace.rawValue)
    writer.write(
      (parent == nil ? 0 : Self.incrementFlag) | (ascendingUnique ? Self.ascendingFlag : 0))
    writer.write(UInt32(features.named.count))
    for bits in features.bits { writer.write(bits) }
    writer.write(captureID)
    writer.write(parent ?? .zero)
    writer.write(UInt32(parentName.utf8.count))
    writer.write(UInt32(0))
    writer.write(Array(parentName.utf8))
    for feature in features.named {
      writer.write(feature.class.rawValue)
      writer.write(feature.bit)
      writer.write(UInt16(feature.name.utf8.count))
      writer.write(Array(feature.name.utf8))
    }
    return writer.bytes
  }
}
