internal import FoundationEssentials

/// The few facts taken from a domain's configuration in libxl's JSON; the rest is stored without being decoded.
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

  /// Decodes the configuration in an xl header, which ends with a NUL; nil if it is not JSON.
  static func read(_ bytes: [UInt8]) -> CreateInfo? {
    let text = bytes.last == 0 ? bytes.dropLast() : bytes[...]
    return try? JSONDecoder().decode(DomainConfiguration.self, from: Data(text)).createInfo
  }
}
