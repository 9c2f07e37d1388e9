/// A kind of page that a picture distinguishes, and how it is shown.
package struct PageKind: Hashable, Sendable {
  /// The name in the legend.
  package var name: String
  /// Its letter where there are no colours: upper case if it fills at least half of a cell, else lower case.
  package var letter: Character
  /// Its colour, where there are colours.
  package var color: Color

  /// A kind with this name, letter and colour.
  package init(name: String, letter: Character, color: Color) {
    self.name = name
    self.letter = letter
    self.color = color
  }
}
