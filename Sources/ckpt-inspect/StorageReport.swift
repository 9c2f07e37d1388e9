import CheckpointImage
import CommandLineSupport
import Inspection

/// What the bytes of one image, or of several together, are used for.
struct StorageReport: Encodable {
  struct Regions: Encodable {
    var count: UInt64 = 0
    var pages: UInt64 = 0
    var livePages: UInt64 = 0
    var storedBytes: UInt64 = 0
    var expandedBytes: UInt64 = 0
  }

  struct Segments: Encodable {
    var count: UInt64 = 0
    var bytes: UInt64 = 0
  }

  /// Nil for the sum.
  var file: String?
  var bytes: UInt64 = 0
  /// For a chain: the stored pages that belong to the tip.
  var shownAtTip: UInt64?
  /// For the sum: the pages of the tip by state.
  var pagesAtTip: [String: UInt64]?
  var regions: [String: Regions] = [:]
  var segments: [String: Segments] = [:]

  init(_ file: String, _ statistics: StorageStatistics) {
    self.file = file
    bytes = statistics.bytes
    for (codec, found) in statistics.regions {
      regions[codec.name] = Regions(
        count: found.count, pages: found.pages, livePages: found.livePages,
        storedBytes: found.storedBytes, expandedBytes: found.expandedBytes)
    }
    for (kind, found) in statistics.segments {
      segments[kind] = Segments(count: found.count, bytes: found.bytes)
    }
  }

  init(sum reports: [StorageReport]) {
    for report in reports {
      bytes += report.bytes
      if let shown = report.shownAtTip { shownAtTip = (shownAtTip ?? 0) + shown }
      for (codec, found) in report.regions {
        regions[codec, default: Regions()].count += found.count
        regions[codec]?.pages += found.pages
        regions[codec]?.livePages += found.livePages
        regions[codec]?.storedBytes += found.storedBytes
        regions[codec]?.expandedBytes += found.expandedBytes
      }
      for (kind, found) in report.segments {
        segments[kind, default: Segments()].count += found.count
        segments[kind]?.bytes += found.bytes
      }
    }
  }

  var lines: [String] {
    var lines = ["\(file ?? "all together"): \(bytes) bytes"]
    for (codec, found) in regions.sorted(by: { $0.key < $1.key }) {
      let percent = found.storedBytes * 1000 / max(1, found.expandedBytes)
      lines.append(
        "  \(Count.text(found.count, "region")), \(codec): \(found.storedBytes) bytes for "
          + "\(Count.text(found.pages, "page")) of \(found.expandedBytes) bytes, "
          + "\(percent / 10).\(percent % 10) %; \(found.livePages) live, "
          + "\(found.pages - min(found.pages, found.livePages)) dead copies")
    }
    for (kind, found) in segments.sorted(by: { ($1.value.bytes, $0.key) < ($0.value.bytes, $1.key) }
    ) {
      let noun = found.count == 1 ? "segment" : "segments"
      lines.append("  \(found.count) \(kind) \(noun): \(found.bytes) bytes")
    }
    if let shownAtTip {
      let stored = regions.values.reduce(0) { $0 + $1.pages }
      lines.append("  shown at the tip: \(shownAtTip) of \(stored) stored pages")
    }
    if let pagesAtTip {
      let parts = pagesAtTip.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      lines.append("  pages at the tip: \(parts.joined(separator: ", "))")
    }
    return lines
  }
}
