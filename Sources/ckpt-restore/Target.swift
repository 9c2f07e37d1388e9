import ArgumentParser
import Formats
import Operations

/// What a checkpoint is restored to.
enum Target: Equatable, ExpressibleByArgument {
  /// A domain on the Xen that this program runs on.
  case domain
  /// A file or a pipe.
  case file(FileFormat)

  private static let domainName = "xen:"

  init?(argument: String) {
    if argument == Self.domainName {
      self = .domain
    } else if let format = FileFormat(name: argument) {
      self = .file(format)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] {
    [domainName] + FileFormat.all.map(\.name)
  }
}
