using MlNetDistill.Fuzz.Mutating;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A reader of the library, valid files for it, and what it may do with changed ones.</summary>
internal abstract class Reader : IDisposable
{
    private IReadOnlyList<byte[]>? _seeds;

    /// <summary>As the command line and the table name it.</summary>
    public abstract string Name { get; }

    /// <summary>Valid files.</summary>
    public IReadOnlyList<byte[]> Seeds => _seeds ??= CreateSeeds();

    /// <summary>How many times as long it takes as a fast reader: it gets fewer inputs.</summary>
    public virtual int Cost => 1;

    /// <summary>A temporary folder of its own; no other file may be open or left after reading.</summary>
    public ToyFolder Folder { get; } = new();

    /// <summary>Puts an input where it is read from; what that allocates is not counted.</summary>
    public virtual void Place(byte[] input)
    {
    }

    /// <summary>Reads an input, and uses what was read as the library does.</summary>
    /// <exception cref="WrongResultException">What was read is wrong.</exception>
    public abstract void Read(byte[] input);

    /// <summary>Whether an exception is one that the reader documents.</summary>
    public abstract bool IsExpected(Exception error);

    /// <summary>Bytes of managed memory that an input of this length may take.</summary>
    public abstract long Bound(int length);

    /// <summary>Makes a change that knows the format.</summary>
    public virtual byte[] Change(byte[] bytes, Random random) => ByteChanges.Apply(bytes, Seeds, random);

    /// <summary>Makes the checksums right again, so that what is behind them is reached. What is too damaged for that stays as it is.</summary>
    public virtual byte[] Repair(byte[] bytes) => bytes;

    public virtual void Dispose() => Folder.Dispose();

    protected abstract IReadOnlyList<byte[]> CreateSeeds();

    /// <summary>Whether an exception is of exactly this type and has a message that names the file.</summary>
    protected static bool Is<T>(Exception error, string beginning)
        where T : Exception => error.GetType() == typeof(T) && error.Message.StartsWith(beginning, StringComparison.Ordinal);

    protected static byte[] Model(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Models", name));
}

/// <summary>A changed file was read, and gave what it must not give.</summary>
internal sealed class WrongResultException(string message) : Exception(message);
