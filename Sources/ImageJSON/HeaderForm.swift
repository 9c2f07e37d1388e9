internal import CheckpointImage

/// A header by its fields (Spec, "Header").
struct HeaderForm: Codable {
  struct FeatureForm: Codable {
    var `class`: UInt8
    var bit: UInt8
    var name: String

    enum CodingKeys: String, CodingKey {
      case `class` = "Class"
      case bit = "Bit"
      case name = "Name"
    }
  }

  var alignmentShift: UInt8
  var architecture: String
  var addressSpace: String
  var ascendingUnique: Bool
  var features: [FeatureForm]
  var captureID: HexBytes
  var parentID: HexDigest?
  var parentName: String?

  enum CodingKeys: String, CodingKey {
    case alignmentShift = "Alignment_Shift"
    case architecture = "Architecture"
    case addressSpace = "Address_Space"
    case ascendingUnique = "Ascending_Unique"
    case features = "Features"
    case captureID = "Capture_ID"
    case parentID = "Parent_ID"
    case parentName = "Parent_Name"
  }

  init(_ header: ImageHeader) {
    alignmentShift = header.alignmentShift
    architecture = "\(header.architecture)"
    addressSpace = "\(header.addressSpace)"
    ascendingUnique = header.ascendingUnique
    features = header.features.named.map {
      FeatureForm(class: $0.class.rawValue, bit: $0.bit, name: $0.name)
    }
    captureID = HexBytes(header.captureID)
    parentID = header.parent.map(HexDigest.init)
    parentName = header.parentName.isEmpty ? nil : header.parentName
  }

  /// The encoded body of the header's segment.
  func body() throws(CheckpointError) -> [UInt8] {
    guard captureID.bytes.count == 16 else {
      throw CheckpointError(
        .refused, "Capture_ID: found \(captureID.bytes.count) bytes, expected 16")
    }
    guard (parentName ?? "").utf8.count <= Limits.maximumName else {
      throw CheckpointError(.refused, "Parent_Name is longer than \(Limits.maximumName) bytes")
    }
    let architecture = try Name.value(
      architecture, of: [.unspecified, .x86], "Architecture"
    ) { (value: ImageHeader.Architecture) in "\(value)" }
    var header = ImageHeader(
      architecture: architecture, captureID: captureID.bytes, parent: parentID?.digest,
      parentName: parentName ?? "", ascendingUnique: ascendingUnique)
    header.alignmentShift = alignmentShift
    header.addressSpace = try Name.value(addressSpace, of: [.guestPhysical], "Address_Space") {
      (value: ImageHeader.AddressSpace) in "\(value)"
    }
    var named: [Features.Feature] = []
    for feature in features {
      guard let featureClass = Features.Class(rawValue: feature.class), feature.bit < 64,
        feature.name.utf8.count <= Limits.maximumName
      else { throw CheckpointError(.refused, "Features: no such class or bit, or a name too long") }
      named.append(
        Features.Feature(class: featureClass, bit: feature.bit, name: feature.name))
    }
    header.features = Features(named)
    return header.encoded()
  }
}
