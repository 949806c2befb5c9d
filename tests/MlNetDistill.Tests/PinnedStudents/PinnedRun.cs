using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;
using Sequential = TorchSharp.Modules.Sequential;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>What one case trains with: rows, models and a folder that are made from whole numbers alone, so that they are the same wherever they are made.</summary>
/// <param name="folder">The folder, which stays; null for one of its own, which goes when disposed.</param>
internal sealed class PinnedRun(string? folder = null) : IDisposable
{
    private readonly ToyFolder? _folder = folder is null ? new() : null;
    private readonly List<IDisposable> _modules = [];

    private sealed class Told
    {
        [VectorType(3)]
        public float[] Opinion { get; set; } = [];
    }

    public MLContext Context { get; } = new(seed: 1);

    public string Folder => _folder?.Path ?? Directory.CreateDirectory(folder!).FullName;

    /// <summary>48 points of three classes, with example weights and a column that holds every fifth row out.</summary>
    public IDataView Points => Keyed(PointRows());

    /// <summary>The same points, of which every other pair has labels.</summary>
    public IDataView HalfLabelled => Keyed(PointRows().Select((row, i) => new Point { Label = i % 4 < 2 ? row.Label : "", Features = row.Features }));

    /// <summary>The same points with a column Opinion of class probabilities.</summary>
    public IDataView PointsWithOpinion => Context.Transforms.CustomMapping<Point, Told>(
        (row, told) => told.Opinion = [.. Rows.Classes.Select(name => name == row.Label ? 0.75f : 0.125f)], null).Fit(Points).Transform(Points);

    /// <summary>24 grey pictures of 8×8 bytes, three classes by the place of a bright stripe.</summary>
    public IDataView Pictures => Keyed(Enumerable.Range(0, 24).Select(i => new Picture
    {
        Label = Rows.Classes[i % 3],
        Features = [.. Enumerable.Range(0, 64).Select(p => (byte)((p / 24 == i % 3 ? 120 : 0) + (((i * 31) + (p * 17) + (i * p % 13 * 7)) % 100)))],
    }));

    public DistillationTransformer Fit(DistillationOptions options, IDataView view) => Context.Fit(options, view);

    /// <summary>A perceptron with weights that nothing was drawn for.</summary>
    public Sequential Module()
    {
        var module = nn.Sequential(("first", nn.Linear(4, 6)), ("relu", nn.ReLU()), ("last", nn.Linear(6, 3)));
        _modules.Add(module);
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            foreach (var (parameter, k) in module.parameters().Select((p, k) => (p, k)))
                parameter.copy_(Numbers(k, parameter.shape));
        }

        return module;
    }

    /// <summary>Numbers in [-1, 1) that depend on their place alone.</summary>
    public static Tensor Numbers(int seed, params long[] shape)
    {
        var count = (int)shape.Aggregate(1L, (a, b) => a * b);
        return tensor(Enumerable.Range(0, count).Select(i => Number(seed, i)).ToArray(), shape);
    }

    /// <summary>The rows of <see cref="Points"/>.</summary>
    public static Point[] PointRows() =>
    [
        .. Enumerable.Range(0, 48).Select(i => new Point
        {
            Label = Rows.Classes[i % 3],
            Features = [.. Enumerable.Range(0, 4).Select(f => Number(f, i) + (f == i % 3 ? 1.25f : 0))],
            Weight = 0.5f + (i % 4 * 0.25f),
            Held = i % 5 == 0,
        }),
    ];

    public void Dispose()
    {
        _modules.ForEach(module => module.Dispose());
        _folder?.Dispose();
    }

    private IDataView Keyed<T>(IEnumerable<T> rows)
        where T : class
    {
        var view = Context.Data.LoadFromEnumerable(rows.ToArray());
        var keys = Context.Data.LoadFromEnumerable(Rows.Classes.Select(name => new { Label = name }));
        return Context.Transforms.Conversion.MapValueToKey("Class", "Label", keyData: keys).Fit(view).Transform(view);
    }

    // A multiple of 1/512, so that no sum of a few of them is rounded.
    private static float Number(int seed, int place) => (((((place + 1L) * 7919) + ((seed + 1L) * 104729)) * (place + 11L) % 1009) - 504) / 512f;
}
