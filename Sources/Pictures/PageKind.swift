/// What a picture tells apart, and how it shows it.
package struct PageKind: Hashable, Sendable {
  /// The name in the legend.
  package var name: String
  /// Stands for it where there are no colours: large if it fills at least half of a cell, else small.
  package var letter: Character
  /// Its colour.
  package var color: Color

  /// Makes a kind.
  package init(name: String, letter: Character, color: Color) {
    self.name = name
    self.letter = letter
    self.color = color
  }
}
