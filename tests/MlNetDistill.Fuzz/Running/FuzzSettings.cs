namespace MlNetDistill.Fuzz.Running;

/// <summary>What a run does.</summary>
/// <param name="Inputs">Inputs of each reader; a slow reader gets a part of them.</param>
/// <param name="Seed">From it, the reader's name and an input's number follows the input.</param>
/// <param name="Folder">Where inputs that show a fault are kept.</param>
/// <param name="Only">The number of a single input to read; null for all.</param>
internal sealed record FuzzSettings(int Inputs, int Seed, string Folder, int? Only);
