import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection

struct RegionsCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "regions", abstract: "Show where the bytes of an image go, or of a whole chain.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @Flag(name: .customLong("chain"), help: "Show all its ancestors too, and the sum.")
  var isChain = false

  @Flag(help: "Print results as JSON.") var json = false
  @OptionGroup(title: "Chain") var chain: ChainOptions

  func execute() throws(CheckpointError) -> ExitStatus {
    var reports: [StorageReport] = []
    var sum: StorageReport?
    if isChain {
      let images = try chain.open(image)
      let use = try ChainUse(images)
      for (place, image) in images.images.enumerated() {
        var report = StorageReport(image.name, try StorageStatistics(image))
        report.shownAtTip = use.shown[place]
        reports.append(report)
      }
      sum = StorageReport(sum: reports)
      sum?.pagesAtTip = [:]
      for state in PageState.allCases where use.counts[Int(state.rawValue)] > 0 {
        sum?.pagesAtTip?["\(state)"] = use.counts[Int(state.rawValue)]
      }
    } else {
      let file = try openImage(image)
      reports.append(StorageReport(file.name, try StorageStatistics(file)))
    }
    if json {
      try Results.printJSON(reports + [sum].compactMap { $0 })
      return .success
    }
    for report in reports + [sum].compactMap({ $0 }) {
      for line in report.lines { try Results.print(line) }
    }
    return .success
  }
}
