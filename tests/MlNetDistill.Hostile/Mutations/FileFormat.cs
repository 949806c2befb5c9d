namespace MlNetDistill.Hostile.Mutations;

/// <summary>A format that the library reads.</summary>
internal abstract class FileFormat
{
    /// <summary>As the command line names it.</summary>
    public abstract string Name { get; }

    /// <summary>As the table names it.</summary>
    public abstract string Title { get; }

    /// <summary>Whether the format has nothing that tells a changed file from another valid one.</summary>
    public virtual bool IsUnguarded => false;

    /// <summary>What an error must name.</summary>
    public virtual IReadOnlyList<string> Words => [];

    /// <summary>Writes the intact files into an empty folder.</summary>
    public abstract void Make(string folder);

    /// <summary>Reads the files of a folder and uses what they say.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="variant">Chooses between ways of using them that must come to the same.</param>
    /// <returns>What came of it, to the last bit.</returns>
    public abstract string Use(string folder, int variant);

    /// <summary>Damages the files of a folder.</summary>
    /// <returns>What was done, in words.</returns>
    public virtual string Damage(string folder, Random random)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order().ToArray();
        return Damages.One(files[random.Next(files.Length)], random);
    }

    /// <summary>The bits of rows of numbers.</summary>
    protected static string Bits(IEnumerable<float[]> rows) =>
        string.Join(' ', rows.Select(row => string.Join(',', row.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8")))));
}
