namespace MlNetDistill;

/// <summary>
/// How a teacher's classes become the student's, where they are not the same names in any order. Without one, a teacher of other classes is refused.
/// </summary>
/// <example><code>new ClassMap { Names = new Dictionary&lt;string, string&gt; { ["tabby cat"] = "cat", ["tiger cat"] = "cat" }, DropOthers = true }</code></example>
public sealed record ClassMap
{
    /// <summary>
    /// The student's class for a class of the teacher; classes that are not listed keep their name. Where several go to one class their probabilities are added.
    /// </summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Whether classes of the teacher that the student does not have are left out, and the probabilities of the others scaled up to sum to 1. Otherwise they
    /// are an error. A class of the student that the teacher lacks always is.
    /// </summary>
    public bool DropOthers { get; init; }

    /// <summary>What becomes of the teacher's classes.</summary>
    public override string ToString() => string.Join(
        ", ", Names.Select(name => $"'{name.Key}' is '{name.Value}'").Append(DropOthers ? "other classes are left out" : "other classes keep their names"));
}
