using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Checkpoints of a route that belong to other classes, networks, rows or runs.</summary>
internal static class CheckpointCases
{
    private static readonly NetworkSpec Small = NetworkSpec.Mlp(12);

    public static IEnumerable<Case> All
    {
        get
        {
            yield return Case.WorksOrRefused("classes in another order", () => InFolder(folder =>
            {
                Train(folder, Sample.Points());
                // The first two rows are swapped, and keys follow the order of appearance.
                var rows = Rows.Points(120);
                (rows[0], rows[1]) = (rows[1], rows[0]);
                var context = Log.Context();
                var view = context.Data.LoadFromEnumerable(rows);
                var keyed = context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByOccurrence).Fit(view).Transform(view);
                var student = Sample.Fit(Following(folder), keyed);
                var right = student.Scores(keyed).Select(s => Array.IndexOf(s, s.Max())).Zip(rows, (found, row) => new[] { "birch", "ash", "cedar" }[found] == row.Label ? 1.0 : 0).Average();
                Check.AtLeast(right, 0.9, "accuracy");
            }), "ash", "birch");
            yield return Refused("another network", folder => Following(folder, NetworkSpec.Mlp(20)), Sample.Points, "anchor-000", "MLP 20");
            yield return Refused("a deeper network of the same widths", folder => Following(folder, NetworkSpec.Mlp(12, 12)), Sample.Points, "anchor-000");
            yield return Refused("other features", folder => Following(folder) with { FeatureColumnName = "Longer" }, Longer, "anchor-000", "4", "5");
            yield return Refused("other classes", folder => Following(folder), () => Renamed("ash", "fir"), "anchor-000", "fir", "ash");
            yield return Refused("more classes", folder => Following(folder), () => Renamed(null, "fir"), "anchor-000", "fir");
            yield return Refused("input that is scaled otherwise", folder => Following(folder, Small with { InputScaling = InputScaling.Standardize }), Sample.Points, "anchor-000", "scal");
            yield return Case.WorksOrRefused("a second run in the same folder", () => InFolder(folder =>
            {
                Train(folder, Sample.Points(), seed: 1);
                Train(folder, Sample.Points(), seed: 2);
                Sample.Learns(Following(folder));
            }), "anchor-000");
            yield return Case.WorksOrRefused("a shorter second run in the same folder", () => InFolder(folder =>
            {
                Train(folder, Sample.Points(), seed: 1, epochs: 4);
                Train(folder, Sample.Points(), seed: 2, epochs: 2);
                Check.Equal(Directory.GetFiles(folder, "anchor-*").Length, 2, "checkpoints in the folder");
            }), "folder");
            yield return Case.Refused("checkpoints of two runs", () => InFolder(one => InFolder(two =>
            {
                Train(one, Sample.Points(), seed: 1);
                Train(two, Sample.Points(), seed: 2);
                File.Copy(Path.Combine(two, "anchor-0002.weights"), Path.Combine(one, "anchor-0002.weights"), overwrite: true);
                Sample.Fit(Following(one));
            })), "anchor-0002", "run");
            yield return Case.Refused("a checkpoint that is renamed to another epoch", () => InFolder(folder =>
            {
                Train(folder, Sample.Points());
                File.Copy(Path.Combine(folder, "anchor-0001.weights"), Path.Combine(folder, "anchor-0003.weights"), overwrite: true);
                Sample.Fit(Following(folder));
            }), "anchor-0003");
            yield return Broken("a checkpoint that is missing", File.Delete, "anchor-0002");
            yield return Broken("a checkpoint that is empty", file => File.WriteAllBytes(file, []), "anchor-0002");
            yield return Broken("a checkpoint that is a folder", file =>
            {
                File.Delete(file);
                Directory.CreateDirectory(file);
            }, "anchor-0002");
            yield return Broken("a checkpoint that is a text", file => File.WriteAllText(file, "weights"), "anchor-0002");
            yield return Broken("a checkpoint that is a student", file => Sample.Fit(Sample.Short()).SaveAtomically(file), "anchor-0002");
            yield return Case.Refused("a checkpoint folder that is a file", () => InFolder(folder =>
            {
                var file = Path.Combine(folder, "file");
                File.WriteAllText(file, "");
                Train(file, Sample.Points());
            }), "file");
            yield return Case.Refused("checkpoints where nothing can be", () => Train("/proc/none/here", Sample.Points()), "/proc/none/here") with { IsLong = !OperatingSystem.IsLinux() };
            yield return Case.Refused("RCO of an epoch that the route lacks", () => Sample.Fit(Sample.Short(Route.Train(Small, epochs: 2)) with
            {
                Method = DistillationMethod.Rco(anchors: AnchorSelection.Epochs(1, 7)),
            }), "7");
        }
    }

    private static Case Refused(string name, Func<string, DistillationOptions> options, Func<IDataView> view, params string[] words) => Case.Refused(name, () => InFolder(folder =>
    {
        Train(folder, Sample.Points());
        Sample.Fit(options(folder), view());
    }), words);

    private static Case Refused(string name, Func<string, DistillationOptions> options, Func<int, IDataView> view, params string[] words) =>
        Refused(name, options, () => view(120), words);

    private static Case Broken(string name, Action<string> harm, params string[] words) => Case.Refused(name, () => InFolder(folder =>
    {
        Train(folder, Sample.Points());
        harm(Path.Combine(folder, "anchor-0002.weights"));
        Sample.Fit(Following(folder));
    }), words);

    private static void InFolder(Action<string> use)
    {
        using var folder = new ToyFolder();
        use(folder.Path);
    }

    private static void Train(string folder, IDataView view, int seed = 1, int epochs = 3) => Sample.Fit(
        Sample.Short(Route.Train(Small, every: 1, epochs: epochs, folder: folder)) with { Method = DistillationMethod.Rco(), Seed = seed }, view);

    private static DistillationOptions Following(string folder, NetworkSpec? network = null) => Sample.Learning(Route.FromCheckpoints(
        network ?? Small, [.. Enumerable.Range(1, 3).Select(epoch => Path.Combine(folder, $"anchor-000{epoch}.weights"))])) with
    { Method = DistillationMethod.Rco(DistillationMethod.Kd(alpha: 1)), MinimumTeacherAccuracy = 0 };

    private static IDataView Renamed(string? from, string to) => Log.Context().Keyed(Rows.Points(120).Select((row, i) =>
    {
        row.Label = row.Label == from || (from is null && i % 7 == 0) ? to : row.Label;
        return row;
    }));

    private static IDataView Longer(int count)
    {
        var context = Log.Context();
        var view = context.Keyed(Rows.Points(count));
        return context.Transforms.Concatenate("Longer", "Features", "Weight").Fit(view).Transform(view);
    }
}
