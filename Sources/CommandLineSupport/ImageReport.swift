package import CheckpointCodec
package import CheckpointImage
internal import GuestMemory
package import Operations
/// What a tool that wrote an image says of it.
package struct ImageReport: Encodable {
  /// The file.
  package var file: String
  /// The moment's identity.
  package var checkpointID: String
  /// The file's identity.
  package var fileID: String
  /// The memory digest.
  package var memoryDigest: String
  /// The digest of the machine's state.
  package var stateDigest: String
  /// Bytes of the file.
  package var bytes: UInt64
  /// Index entries by state.
  package var pages: [String: UInt64]
  /// Stored pages that are no longer in use.
  package var deadCopies: UInt64

  /// What became of the images that were merged into it.
  package var merged: Merged?

  /// Pages that were left out, by reason.
  package private(set) var evicted: [String: UInt64]?
  /// Why nothing is known of what the guest uses its pages for, if that was asked.
  package private(set) var evictObstacle: String?
  /// Pages that were to be left out and are not there; nil if none.
  package private(set) var absent: UInt64?
  private var isRestorable = true

  /// Takes note of the pages that were left out, and of what became of the wish.
  package mutating func note(_ tally: EvictionTally, of decision: EvictionDecision?) {
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
    case evictObstacle, absent, merged
  }

  /// What a merge did.
  package struct Merged: Encodable {
    /// Images merged.
    package var images: Int
    /// Regions that were copied as they are.
    package var copied: Int
    /// Regions that were compressed anew.
    package var repacked: Int

    /// Makes a report.
    package init(images: Int, copied: Int, repacked: Int) {
      self.images = images
      self.copied = copied
      self.repacked = repacked
    }

    var line: String {
      "merged \(Count.text(images, "image")): \(Count.text(copied, "region")) copied, \(repacked) repacked"
    }
  }

  /// A report on an image.
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

  /// The page counts in words.
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

  /// Tells what was written: on standard output as JSON, else on standard error; always there if standard
  /// output carries the data.
  package func tell(_ common: CommonOptions, _ output: OutputOptions) throws(CheckpointError) {
    if common.json && output.output != "-" {
      try Results.printJSON(self)
    } else if !common.quiet {
      if let merged { Message.print(merged.line) }
      if let evictedLine { Message.print(evictedLine) }
      Message.print(line)
    }
  }
}
