internal import CheckpointImage

/// A region by its fields (Spec, "Region"); the payload stays compressed.
struct RegionForm: Codable {
  struct RunForm: Codable {
    var pfn: PFN
    var pages: Int
    var type: PageType?

    enum CodingKeys: String, CodingKey {
      case pfn = "PFN"
      case pages = "Pages"
      case type = "Type"
    }
  }

  var codec: String
  var runs: [RunForm]
  var payload: Base64Bytes

  enum CodingKeys: String, CodingKey {
    case codec = "Codec"
    case runs = "Runs"
    case payload = "Payload"
  }

  init(_ region: RegionHeader, _ body: [UInt8]) {
    codec = region.codec.name
    runs = region.runs.map {
      RunForm(pfn: $0.pfn, pages: $0.count, type: $0.type == 0 ? nil : $0.type)
    }
    payload = Base64Bytes(Array(body[region.byteCount...]))
  }

  func body() throws(CheckpointError) -> [UInt8] {
    var list: [PageRun] = []
    var pages = 0
    for run in runs {
      guard (1...Limits.maximumRegionPages).contains(run.pages), run.pfn < Limits.pfnEnd,
        run.type ?? 0 < 16
      else {
        throw CheckpointError(
          .refused,
          "Runs: \(run.pages) pages at PFN \(run.pfn), type \(run.type ?? 0): expected 1 to 256 "
            + "pages, a PFN below 2^52, a type below 16")
      }
      pages += run.pages
      guard pages <= Int(UInt16.max) else {
        throw CheckpointError(.refused, "Runs: more than \(UInt16.max) pages")
      }
      list.append(PageRun(pfn: run.pfn, count: run.pages, type: run.type ?? 0))
    }
    let codec = try Name.value(codec, of: CodecID.allCases, "Codec") { $0.name }
    return RegionHeader(codec: codec, runs: list).encoded() + payload.bytes
  }
}
