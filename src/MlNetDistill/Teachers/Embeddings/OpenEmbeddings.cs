using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher of embeddings, open for the rows of a fit.</summary>
/// <param name="Compute">Its embeddings of all rows as they are: N×D', 32-bit floats on the rows' device, which the caller disposes.</param>
internal sealed record OpenEmbeddings(Func<Tensor> Compute) : IDisposable
{
    /// <summary>Its name in logs.</summary>
    public string Label { get; init; } = "teacher";

    /// <summary>The epoch after which it was recorded, or its position in a route; from 1.</summary>
    public int Epoch { get; init; } = 1;

    /// <summary>Computes others than those; null if nothing can.</summary>
    public EmbeddingQuery? Query { get; init; }

    /// <summary>What is disposed with it.</summary>
    public IReadOnlyList<IDisposable?> Owned { get; init; } = [];

    /// <summary>Opens several. If one of them fails, those before it are disposed.</summary>
    public static IReadOnlyList<OpenEmbeddings> OpenAll<T>(IEnumerable<T> teachers, Func<T, int, OpenEmbeddings> open)
    {
        var opened = new List<OpenEmbeddings>();
        try
        {
            foreach (var teacher in teachers)
                opened.Add(open(teacher, opened.Count));
            return opened;
        }
        catch
        {
            opened.ForEach(teacher => teacher.Dispose());
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var owned in Owned)
            owned?.Dispose();
    }
}
