import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Inspection
import Pictures

/// The data of a map: the page states of a moment or of a single image, or the classes of a moment's pages.
struct MapSource {
  private let tip: ImageFile
  private let chain: Chain?
  private let memory: ClassifiedMemory?

  init(_ path: String, _ kind: MapKind, own: Bool, _ options: ChainOptions) throws(CheckpointError)
  {
    chain = own ? nil : try options.open(path)
    if let chain { tip = chain.tip } else { tip = try openImage(path) }
    if let chain, kind == .class { memory = try ClassifiedMemory(chain) } else { memory = nil }
  }

  var images: [ImageFile] { chain?.images ?? [tip] }

  var title: String {
    let ancestors = (chain?.images.count ?? 1) - 1
    let file = tip.name + (ancestors == 0 ? "" : " and \(Count.text(ancestors, "ancestor"))")
    return "\(file), checkpoint \(tip.root.checkpointID)"
      + (chain == nil ? ", this image alone" : "")
  }

  var legend: Legend {
    memory == nil ? .states(ofIncrement: chain == nil && tip.header.parent != nil) : .classes
  }

  var blocks: [BlockNumber] { chain?.memoryTree.map(\.block) ?? tip.blockNumbers }

  private struct StateRun: Encodable {
    var pfn: PFN
    var count: Int
    var state: String
    var type: PageType?
    var reason: String?
  }

  private struct ClassRun: Encodable {
    var pfn: PFN
    var count: Int
    var `class`: String
  }

  func printRuns(_ list: inout JSONList) throws(CheckpointError) {
    var filled = list
    if let memory {
      try memory.forEachRun { (pages, found) throws(CheckpointError) in
        try filled.add(ClassRun(pfn: pages.lowerBound, count: pages.count, class: "\(found)"))
      }
    } else {
      try forEachRun { (pages, status) throws(CheckpointError) in
        try filled.add(
          StateRun(
            pfn: pages.lowerBound, count: pages.count, state: "\(status.state)",
            type: status.type == 0 ? nil : status.type,
            reason: status.reason == .none ? nil : "\(status.reason)"))
      }
    }
    list = filled
  }

  func fill(_ map: inout PageMap) throws(CheckpointError) {
    var filled = map
    let legend = map.legend
    if let memory {
      try memory.forEachRun { pages, found in filled.add(pages, kind: Legend.index(of: found)) }
    } else {
      try forEachRun { pages, status in filled.add(pages, kind: legend.index(of: status.state)) }
    }
    map = filled
  }

  private func forEachRun(
    _ body: @escaping (Range<PFN>, PageStatus) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    if let chain {
      try StatusRuns.forEach(of: chain, body)
    } else {
      try StatusRuns.forEach(of: tip, body)
    }
  }
}
