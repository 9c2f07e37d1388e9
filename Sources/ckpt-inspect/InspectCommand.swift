import ArgumentParser
import CommandLineSupport

@main
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-inspect",
    abstract: "Show what a checkpoint image holds.",
    version: RunRecord.version,
    subcommands: [
      InfoCommand.self,
      ChainCommand.self,
      GuestCommand.self,
      MapCommand.self,
      PageCommand.self,
      ReadCommand.self,
      StringsCommand.self,
      SearchCommand.self,
      DigestCommand.self,
      RecordsCommand.self,
      VCPUCommand.self,
      RegionsCommand.self,
      DecodeCommand.self,
      EncodeCommand.self,
    ],
    defaultSubcommand: InfoCommand.self)
}
