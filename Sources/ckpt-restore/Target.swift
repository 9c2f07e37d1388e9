import ArgumentParser
import Operations

/// What a checkpoint becomes.
enum Target: Equatable, ExpressibleByArgument {
  /// A domain of the Xen this program runs on.
  case domain
  /// A file, or what goes into a pipe.
  case file(Restore.Format)

  private static let domainName = "xen:"

  init?(argument: String) {
    if argument == Self.domainName {
      self = .domain
    } else if let format = Restore.Format(rawValue: argument) {
      self = .file(format)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] {
    [domainName] + Restore.Format.allCases.map(\.rawValue)
  }
}
