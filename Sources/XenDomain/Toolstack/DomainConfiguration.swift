#if Xen
internal import CheckpointImage
internal import FoundationEssentials

/// The configuration of a domain, in libxl's JSON. What is not changed here stays as it was.
struct DomainConfiguration {
  private(set) var json: JSONValue
  private let file: String

  /// Reads libxl's JSON, which may have a NUL at its end. `file` is where it comes from, for messages.
  init(_ bytes: [UInt8], file: String) throws(CheckpointError) {
    let text = bytes.last == 0 ? bytes.dropLast() : bytes[...]
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(text)),
      case .object = json["c_info"]
    else {
      throw CheckpointError(
        .refused, "is not a domain configuration: it is not libxl's JSON with \"c_info\"",
        file: file)
    }
    self.json = json
    self.file = file
    for list in ["disks", "nics"] where json[list] != nil {
      guard json[list]?.elements != nil else {
        throw CheckpointError(
          .refused, "is not a domain configuration: \"\(list)\" is not a list", file: file)
      }
    }
    if uuid == nil { uuid = .random }
  }

  /// libxl's JSON.
  var encoded: [UInt8] {
    get throws(CheckpointError) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      guard let data = try? encoder.encode(json) else {
        throw CheckpointError(.refused, "the configuration cannot be written", file: file)
      }
      return Array(data)
    }
  }

  /// The domain's name.
  var name: String? {
    get { json["c_info"]?["name"]?.text }
    set { json["c_info"]?["name"] = newValue.map { .string($0) } }
  }

  /// The domain's UUID; nil if there is none, or none that names a guest.
  var uuid: DomainUUID? {
    get {
      guard let uuid = json["c_info"]?["uuid"]?.text.flatMap({ DomainUUID($0) }),
        uuid.bytes.contains(where: { $0 != 0 })
      else { return nil }
      return uuid
    }
    set { json["c_info"]?["uuid"] = newValue.map { .string("\($0)") } }
  }

  /// The disks, one line each: what the guest calls it, whether it may write to it, and where it lies.
  var disks: [String] {
    (json["disks"]?.elements ?? []).map {
      let parts = [$0["vdev"]?.text, Self.isWritable($0) ? "rw" : "ro", $0["pdev_path"]?.text]
      return parts.map { $0 ?? "?" }.joined(separator: " ")
    }
  }

  /// The disks that the guest may write to, as it names them: `xvda`.
  var writableDisks: [String] {
    (json["disks"]?.elements ?? []).filter(Self.isWritable).map {
      $0["vdev"]?.text ?? $0["pdev_path"]?.text ?? "?"
    }
  }

  /// libxl leaves out what is 0.
  private static func isWritable(_ disk: JSONValue) -> Bool {
    switch disk["readwrite"] {
    case nil, .integer(0), .bool(false): false
    default: true
    }
  }

  /// What two domains cannot both have without disturbing each other, besides disks.
  private static let notForClones = ["nics", "p9s", "pcidevs", "usbctrls", "usbdevs", "vtpms"]

  /// Makes it the configuration of a second domain that cannot disturb the first: with a UUID of its own, without
  /// network, shared folders and devices of the host, and with disks that it can only read.
  mutating func becomeClone() {
    uuid = .random
    for part in Self.notForClones { json[part] = nil }
    if let disks = json["disks"]?.elements {
      json["disks"] = .array(
        disks.map {
          var disk = $0
          disk["readwrite"] = nil
          return disk
        })
    }
  }
}

extension DomainUUID {
  /// A new one: version 4.
  static var random: DomainUUID {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    return DomainUUID(bytes)
  }
}
#endif
