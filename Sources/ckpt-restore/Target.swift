import ArgumentParser
import Formats
import Operations

/// What a checkpoint becomes.
enum Target: Equatable, ExpressibleByArgument {
  /// A domain of the Xen this program runs on.
  case domain
  /// A file, or what goes into a pipe.
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
