internal import FoundationEssentials

/// The few facts we take from a domain's configuration in libxl's JSON; all else is kept unread.
struct DomainConfiguration: Decodable {
  struct CreateInfo: Decodable {
    var name: String?
    var uuid: String?
    var type: String?
  }

  private enum CodingKeys: String, CodingKey {
    case createInfo = "c_info"
  }

  var createInfo: CreateInfo?

  /// Reads the configuration as it stands in an xl header, with a NUL at its end; nil if it is no JSON.
  static func read(_ bytes: [UInt8]) -> CreateInfo? {
    let text = bytes.last == 0 ? bytes.dropLast() : bytes[...]
    return try? JSONDecoder().decode(DomainConfiguration.self, from: Data(text)).createInfo
  }
}
