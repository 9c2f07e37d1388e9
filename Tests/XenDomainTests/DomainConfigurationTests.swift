#if Xen
import CheckpointImage
import Testing

@testable import XenDomain

/// What becomes of the configuration of a domain that is made anew.
struct DomainConfigurationTests {
  /// As `xl save` keeps it of a guest with two disks and a network card; libxl leaves out what is 0.
  private static let kept = """
    {"c_info": {"type": "pvh", "name": "web", "uuid": "7d0ca5f9-ad49-4653-80bf-c907e0542ba1",
      "run_hotplug_scripts": "True"},
     "b_info": {"max_memkb": 18446744073709551615, "sched_params": {"cap": -1}, "weight": 0.5, "x": null},
     "disks": [{"pdev_path": "/dev/vg/root", "vdev": "xvda", "readwrite": 1},
      {"pdev_path": "/dev/vg/data", "vdev": "xvdb"}],
     "nics": [{"mac": "00:16:3e:00:00:01", "devid": 0}], "p9s": [{"tag": "share"}], "on_reboot": "restart"}
    """

  private func read(_ text: String) throws -> DomainConfiguration {
    try DomainConfiguration(Array(text.utf8), file: "image")
  }

  @Test func whatIsNotChangedStays() throws {
    let before = try read(Self.kept)
    let after = try DomainConfiguration(before.encoded + [0], file: "image")
    #expect(after.json == before.json)
    #expect(after.json["b_info"]?["max_memkb"] == .unsigned(.max))
    #expect(after.json["b_info"]?["sched_params"]?["cap"] == .integer(-1))
    #expect(after.json["b_info"]?["weight"] == .number(0.5))
    #expect(after.json["b_info"]?["x"] == .null)
    #expect(after.json["c_info"]?["run_hotplug_scripts"] == .string("True"))
  }

  @Test func theNameAloneChanges() throws {
    let before = try read(Self.kept)
    var after = before
    after.name = "other"
    #expect(after.name == "other")
    #expect(after.uuid == before.uuid)
    after.name = before.name
    #expect(after.json == before.json)
  }

  @Test func writableDisksAreThoseOfWhichLibxlSaysSo() throws {
    #expect(try read(Self.kept).writableDisks == ["xvda"])
    #expect(try read(#"{"c_info": {}}"#).writableDisks.isEmpty)
    // What no libxl writes counts as writable: a disk too many is asked about, none too few.
    let odd = try read(
      #"{"c_info": {}, "disks": [{"vdev": "a", "readwrite": "x"}, {"vdev": "b", "readwrite": 0}, 5]}"#
    )
    #expect(odd.writableDisks == ["a"])
  }

  @Test func aCloneLeavesTheFirstAlone() throws {
    var clone = try read(Self.kept)
    let uuid = clone.uuid
    clone.becomeClone()
    #expect(clone.uuid != uuid)
    #expect(clone.uuid != nil)
    #expect(clone.writableDisks.isEmpty)
    #expect(clone.json["disks"]?.elements?.count == 2)
    #expect(clone.json["nics"] == nil)
    #expect(clone.json["p9s"] == nil)
    #expect(clone.json["on_reboot"] == .string("restart"))
  }

  @Test func aDomainWithoutUUIDGetsOne() throws {
    let zero = try read(#"{"c_info": {"uuid": "00000000-0000-0000-0000-000000000000"}}"#)
    #expect(zero.uuid != nil)
    let none = try read(#"{"c_info": {"name": "a"}}"#)
    #expect(none.uuid != nil)
    #expect(none.uuid != zero.uuid)
  }

  @Test(arguments: [
    "", "{", "[]", "5", "{}", #"{"c_info": 5}"#, #"{"c_info": {}, "disks": {}}"#,
    #"{"c_info": {}, "nics": "x"}"#, String(repeating: "[", count: 100_000),
  ])
  func whatIsNoConfigurationIsRefused(_ text: String) {
    #expect(throws: CheckpointError.self) { try read(text) }
  }

  @Test(arguments: [
    "", "5", "123", "a/b", "../b", "-a", "a\nb", "a\u{0}", String(repeating: "a", count: 300),
  ])
  func namesThatXlMisunderstandsAreRefused(_ name: String) {
    #expect(throws: CheckpointError.self) {
      try DomainName.check(name, was: "web", isClone: false, file: "image")
    }
  }

  @Test func aCloneNeedsANameOfItsOwn() throws {
    #expect(throws: CheckpointError.self) {
      try DomainName.check("web", was: "web", isClone: true, file: "image")
    }
    #expect(try DomainName.check("web 2", was: "web", isClone: true, file: "image") == "web 2")
    #expect(try DomainName.check("web", was: "web", isClone: false, file: "image") == "web")
  }
}
#endif
