import ArgumentParser
import CheckpointChain
import CheckpointImage

/// What is listed about the pages that differ.
enum ListingKind: String, EnumerableFlag {
  case runs
  case pages
  case bytes

  static func help(for value: ListingKind) -> ArgumentHelp? {
    switch value {
    case .runs: "List runs of pages that differ in the same way."
    case .pages: "List each page, and how many of its bytes changed."
    case .bytes: "List the bytes that changed, before and after, in hexadecimal."
    }
  }

  func make(json: Bool) -> any Listing {
    switch self {
    case .runs: RunListing(json: json)
    case .pages: PageListing(json: json)
    case .bytes: ByteListing(json: json)
    }
  }
}

/// Lists differences one by one, since they may not fit into memory.
protocol Listing: AnyObject {
  /// Adds pages that differ in the same way; called before any of them is added by itself.
  func add(_ run: Difference.Run) throws(CheckpointError)
  /// Adds a page whose contents are known in both moments and differ.
  func add(_ pfn: PFN, _ change: PageChange, _ before: RawSpan, _ after: RawSpan)
    throws(CheckpointError)
  func end() throws(CheckpointError)
}
