internal import CheckpointImage

/// An extent of a states segment by its fields (Spec, "States").
struct ExtentForm: Codable {
  var pfn: PFN
  var count: UInt64
  var state: String
  var type: PageType?
  var reason: String?

  enum CodingKeys: String, CodingKey {
    case pfn = "PFN"
    case count = "Count"
    case state = "State"
    case type = "Type"
    case reason = "Reason"
  }

  init(_ extent: StateExtent) {
    pfn = extent.pfn
    count = extent.count
    state = "\(extent.status.state)"
    type = extent.status.type == 0 ? nil : extent.status.type
    reason = extent.status.reason == .none ? nil : "\(extent.status.reason)"
  }

  func extent() throws(CheckpointError) -> StateExtent {
    StateExtent(
      pfn: pfn, count: count,
      status: PageStatus(
        try Name.state(state), type: type ?? 0, reason: try Name.reason(reason ?? "none")))
  }
}
