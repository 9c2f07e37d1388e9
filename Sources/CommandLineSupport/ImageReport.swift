package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import GuestMemory
package import Operations

/// The report on an image that a tool wrote.
package struct ImageReport: Encodable {
  /// The path of the file.
  package var file: String
  /// The identity of the moment, in hexadecimal like those below.
  package var checkpointID: String
  /// The identity of the file.
  package var fileID: String
  /// The memory digest.
  package var memoryDigest: String
  /// The digest of the machine state.
  package var stateDigest: String
  /// The size of the file in bytes.
  package var bytes: UInt64
  /// The number of index entries by state.
  package var pages: [String: UInt64]
  /// The number of stored pages that no index entry refers to.
  package var deadCopies: UInt64

  /// How the images merged into it were used; nil if it was not merged.
  package var merged: Merged?

  /// The number of pages that were left out, by reason.
  package private(set) var evicted: [String: UInt64]?
  /// Why nothing is known about the use of pages, if that was requested.
  package private(set) var evictObstacle: String?
  /// The number of pages that were to be left out but do not exist; nil if none.
  package private(set) var absent: UInt64?
  private var isRestorable = true
  /// Why the source was incomplete; nil if it was not.
  package private(set) var incomplete: String?
  /// What else was odd in the source; nil if nothing was.
  package private(set) var remarks: [String]?

  /// Adds what was odd in the source.
  package mutating func record(_ found: [SourceRemark]) {
    incomplete = found.first { $0.weight == .incomplete }?.what.description
    let others = found.filter { $0.weight != .incomplete }.map(\.what.description)
    if !others.isEmpty { remarks = others }
  }

  /// Adds the pages that were left out, and how that was decided.
  package mutating func record(_ tally: EvictionTally, of decision: EvictionDecision?) {
    evictObstacle = decision?.obstacle?.reason
    absent = decision.map { $0.absentPages(after: tally) }.flatMap { $0 > 0 ? $0 : nil }
    guard !tally.pages.isEmpty else { return }
    evicted = Dictionary(uniqueKeysWithValues: tally.pages.map { ("\($0.key)", $0.value) })
    isRestorable = tally.pages.keys.allSatisfy(\.isRestorable)
  }

  private var evictedLine: String? {
    guard let evicted else { return nil }
    let parts = evicted.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return "left out: " + parts.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      + (isRestorable ? "" : "; no guest can go on from this image")
  }

  private enum CodingKeys: CodingKey {
    case file, checkpointID, fileID, memoryDigest, stateDigest, bytes, pages, deadCopies, evicted
    case evictObstacle, absent, merged, incomplete, remarks
  }

  /// What a merge did.
  package struct Merged: Encodable {
    /// The number of images merged.
    package var images: Int
    /// The number of regions that were copied unchanged.
    package var copied: Int
    /// The number of regions that were compressed again.
    package var repacked: Int

    /// A report with these numbers.
    package init(images: Int, copied: Int, repacked: Int) {
      self.images = images
      self.copied = copied
      self.repacked = repacked
    }

    var line: String {
      "merged \(Count.text(images, "image")): \(Count.text(copied, "region")) copied, \(repacked) repacked"
    }
  }

  /// A report on an image with this root.
  package init(file: String, root: ImageRoot, fileID: Digest, bytes: UInt64) {
    self.file = file
    checkpointID = root.checkpointID.hex
    self.fileID = fileID.hex
    memoryDigest = root.memory.hex
    stateDigest = root.state.hex
    self.bytes = bytes
    pages = Self.pages(root)
    deadCopies = root.deadCopies
  }

  private static func pages(_ root: ImageRoot) -> [String: UInt64] {
    var pages: [String: UInt64] = [:]
    for state in PageState.allCases where root.count(state) > 0 {
      pages["\(state)"] = root.count(state)
    }
    return pages
  }

  /// The page counts as text, such as `12 data, 3 zero`.
  package var pageText: String {
    let parts = PageState.allCases.compactMap { state in
      pages["\(state)"].map { "\($0) \(state)" }
    }
    return parts.isEmpty ? "no pages" : parts.joined(separator: ", ")
  }

  /// A line for people.
  package var line: String {
    "\(file): \(ByteCount.text(bytes)), \(pageText), checkpoint \(checkpointID.prefix(16))"
  }

  /// Prints the report: as JSON on standard output, or a line on standard error. Always on standard error if
  /// standard output carries the image.
  package func show(_ common: CommonOptions, _ output: OutputOptions) throws(CheckpointError) {
    if common.json && output.output != "-" {
      try Results.printJSON(self)
    } else if !common.quiet {
      if let merged { Message.print(merged.line) }
      if let evictedLine { Message.print(evictedLine) }
      Message.print(line)
    }
  }
}
