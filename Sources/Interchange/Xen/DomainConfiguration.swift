internal import CheckpointCodec
public import CheckpointImage
internal import FoundationEssentials

/// The few facts we take from a domain's configuration in libxl's JSON; all else is kept unread.
public struct DomainConfiguration: Decodable {
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

  /// Reads a configuration that is to be used in place of an image's; `-` is standard input.
  public static func read(_ path: String) throws(CheckpointError) -> [UInt8] {
    let input = try InputStream(path)
    var bytes: [UInt8] = []
    while try !input.isAtEnd() {
      let part = try input.peek(1 << 12)
      bytes += try input.read(part.count, "configuration")
      guard bytes.count <= XenStream.maximumOptionalData else {
        throw CheckpointError(
          .refused, "is no domain configuration: more than \(XenStream.maximumOptionalData) bytes",
          file: input.name)
      }
    }
    guard !bytes.isEmpty else {
      throw CheckpointError(.refused, "is no domain configuration: it is empty", file: input.name)
    }
    return bytes
  }
}
