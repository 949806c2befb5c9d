namespace MlNetDistill;

/// <summary>
/// Maps a teacher's classes to the student's where their names differ. Without a map, a teacher with other classes is an error; their order never matters.
/// </summary>
/// <example><code>new ClassMap { Names = new Dictionary&lt;string, string&gt; { ["tabby cat"] = "cat", ["tiger cat"] = "cat" }, DropOthers = true }</code></example>
public sealed record ClassMap
{
    /// <summary>
    /// The student's class for each class of the teacher; classes that are not listed keep their name. The probabilities of classes mapped to the same one are added.
    /// </summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Whether to leave out classes of the teacher that the student does not have, and to scale the other probabilities to sum to 1. Otherwise such classes are an
    /// error. A class of the student that the teacher lacks is always an error.
    /// </summary>
    public bool DropOthers { get; init; }

    /// <summary>The mapped classes, and what happens to the others.</summary>
    public override string ToString() => string.Join(
        ", ", Names.Select(name => $"'{name.Key}' is '{name.Value}'").Append(DropOthers ? "other classes are left out" : "other classes keep their names"));
}
