using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Teachers;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Impossible folders, and caches of other teachers and other rows.</summary>
internal static class CacheCases
{
    // Made-up ones, with which a model from elsewhere is tried first.
    private const int TrialRows = 13;

    public static IEnumerable<Case> All
    {
        get
        {
            yield return InFolder(Case.Works, "a mapping whose code changed", folder =>
            {
                var view = Sample.Points();
                Fit(folder, Sample.Saying(features => features[2] > features[3] ? [0.8f, 0.1f, 0.1f] : [0.1f, 0.8f, 0.1f]), view);
                var teacher = Sample.Saying(features => features[2] > features[3] ? [0.1f, 0.1f, 0.8f] : [0.1f, 0.8f, 0.1f]);
                Check.That(Same(Fit(folder, teacher, view), Fit(null, teacher, view)), "the cache of the earlier code was used");
            });
            yield return InFolder(Case.Works, "a mapping that reads a setting, which changed", folder =>
            {
                var view = Sample.Points();
                var sharpness = 1f;
                var teacher = Sample.Saying(features => [features[0] * sharpness, features[1], features[2]], ScoreKind.Logits);
                Fit(folder, teacher, view);
                sharpness = -1;
                Check.That(Same(Fit(folder, teacher, view), Fit(null, teacher, view)), "the cache of the earlier setting was used");
            });
            yield return InFolder(Case.Works, "other rows", folder =>
            {
                var teacher = Sample.Teaching();
                Fit(folder, teacher, Sample.Points(60));
                var view = Log.Context().Keyed(Rows.Points(60, seed: 9));
                Check.That(Same(Fit(folder, teacher, view), Fit(null, teacher, view)), "the cache of other rows was used");
            });
            yield return InFolder(Case.Works, "other values in another column that the teacher reads", folder =>
            {
                var context = Log.Context();
                IDataView View(float shift) => context.Keyed(Rows.Points(60).Select(row => new TwoColumns { Label = row.Label, Features = row.Features, Raw = [.. row.Features.Select(v => v + shift)] }));
                var teacher = Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), input: new TeacherInput { ColumnName = "Raw" }, classNames: Rows.Classes);
                Fit(folder, teacher, View(0));
                Check.That(Same(Fit(folder, teacher, View(3)), Fit(null, teacher, View(3))), "the cache of other values was used");
            });
            yield return InFolder(Case.Works, "the same cache key for two teachers", folder =>
            {
                var view = Sample.Points();
                Fit(folder, Teacher.FromModule(Sample.Module(trained: false), classNames: Rows.Classes, cacheKey: "mine"), view);
                var teacher = Teacher.FromModule(Sample.Module(), classNames: Rows.Classes, cacheKey: "mine");
                Check.That(Same(Fit(folder, teacher, view), Fit(null, teacher, view)), "the cache of the other teacher was used");
            });
            yield return InFolder(Case.Works, "classes in another order", folder =>
            {
                var view = Sample.Points();
                var module = Sample.Module();
                Fit(folder, Teacher.FromModule(module, classNames: ["cedar", "ash", "birch"]), view);
                var teacher = Teacher.FromModule(module, classNames: Rows.Classes);
                Check.That(Same(Fit(folder, teacher, view), Fit(null, teacher, view)), "the cache of another order was used");
            });
            yield return InFolder(Case.Works, "two fits at once with one folder", folder =>
            {
                var view = Sample.Points();
                var expected = Fit(null, Sample.Teaching(), view);
                var found = Enumerable.Range(0, 6).AsParallel().WithDegreeOfParallelism(3).Select(_ => Fit(folder, Sample.Teaching(), view)).ToArray();
                Check.Equal(found.Count(scores => !Same(scores, expected)), 0, "other students of 6");
            });
            yield return InFolder(Refused("Mode", "folder"), "UseOnly without a cache", folder => Fit(folder, Sample.Teaching(), Sample.Points(), CacheMode.UseOnly));
            yield return InFolder(Refused("Mode"), "UseOnly with a cache of other rows", folder =>
            {
                Fit(folder, Sample.Teaching(), Sample.Points(60));
                Fit(folder, Sample.Teaching(), Sample.Points(90), CacheMode.UseOnly);
            });
            yield return InFolder(Refused("folder"), "a folder that is a file", folder =>
            {
                File.WriteAllText(Path.Combine(folder, "file"), "");
                Fit(Path.Combine(folder, "file"), Sample.Teaching(), Sample.Points());
            });
            yield return Case.Refused("a folder where none can be", () => Fit("/proc/none/here", Sample.Teaching(), Sample.Points()), "/proc/none/here", "Folder");
            yield return Case.Refused("a folder of a name that cannot be", () => Fit("a\0b", Sample.Teaching(), Sample.Points()), "Folder");
            yield return InFolder(Case.Works, "a folder full of other files", folder =>
            {
                File.WriteAllText(Path.Combine(folder, "x.teacher"), "");
                File.WriteAllBytes(Path.Combine(folder, "y.teacher"), new byte[100_000]);
                Directory.CreateDirectory(Path.Combine(folder, "z.teacher"));
                var view = Sample.Points();
                Check.That(Same(Fit(folder, Sample.Teaching(), view), Fit(null, Sample.Teaching(), view)), "another student");
            });
            yield return InFolder(Case.Works, "a cache that is a folder", folder =>
            {
                var view = Sample.Points();
                var expected = Fit(folder, Sample.Teaching(), view);
                var file = Directory.GetFiles(folder).Single();
                File.Delete(file);
                Directory.CreateDirectory(file);
                try
                {
                    Check.That(Same(Fit(folder, Sample.Teaching(), view), expected), "another student");
                }
                catch (InvalidOperationException error) when (error.Message.Contains(Path.GetFileName(file), StringComparison.Ordinal) || error.Message.Contains(folder, StringComparison.Ordinal))
                {
                    // Refused by its name.
                }
            });
            yield return Case.Refused("as many kept logits as classes", () => Sample.Fit(Sample.Short(Sample.Teaching()) with { TeacherCache = new TeacherCacheOptions { TopK = 3 } }), "TopK", "3");
            yield return Case.WorksOrRefused("logits beyond what half precision holds", () =>
            {
                using var module = Sample.Module();
                var teacher = Teacher.FromModule(module, rows => new Networks.NetworkOutput(module.call(rows).mul(1e6f)), classNames: Rows.Classes);
                Sample.Learns(Sample.Learning(teacher) with { TeacherCache = new TeacherCacheOptions { Precision = CachePrecision.Half }, Method = DistillationMethod.Kd(alpha: 1) });
            }, "16-bit", "CachePrecision");
            yield return Case.Works("no memory at all for outputs", () => Sample.Learns(Sample.Learning(Sample.Teaching()) with { TeacherCache = new TeacherCacheOptions { MemoryLimit = 0 } }));
            yield return Case.Works("a module is queried once for a row", () =>
            {
                using var module = Sample.Module();
                var queried = 0L;
                var teacher = Teacher.FromModule(module, rows =>
                {
                    Interlocked.Add(ref queried, rows.shape[0]);
                    return new Networks.NetworkOutput(module.call(rows));
                }, classNames: Rows.Classes);
                Sample.Fit(Sample.Short(teacher), Sample.Points(600));
                Check.That(queried <= 600 + TrialRows, $"queried for {queried} rows of 600");
            });
            yield return InFolder(Case.Works, "a module with a warm cache is queried for 16 rows only", folder =>
            {
                using var module = Sample.Module();
                var queried = 0L;
                var teacher = Teacher.FromModule(module, rows =>
                {
                    Interlocked.Add(ref queried, rows.shape[0]);
                    return new Networks.NetworkOutput(module.call(rows));
                }, classNames: Rows.Classes);
                var options = Sample.Short(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder } };
                Sample.Fit(options, Sample.Points(600));
                queried = 0;
                Sample.Fit(options, Sample.Points(600));
                Check.That(queried <= 16 + TrialRows, $"queried for {queried} rows of 600");
            });
        }
    }

    private static Func<string, Action, Case> Refused(params string[] words) => (name, code) => Case.Refused(name, code, words);

    private static Case InFolder(Func<string, Action, Case> make, string name, Action<string> code) => make(name, () =>
    {
        using var folder = new ToyFolder();
        code(folder.Path);
    });

    private static float[][] Fit(string? folder, Teacher teacher, IDataView view, CacheMode mode = CacheMode.UseOrCreate) => Sample.Fit(
        Sample.Short(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder, Mode = mode }, Method = DistillationMethod.Kd(alpha: 1) }, view).Scores(view);

    private static bool Same(float[][] one, float[][] other) => one.Zip(other).All(pair => pair.First.SequenceEqual(pair.Second));

    private sealed class TwoColumns
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(4)]
        public float[] Raw { get; set; } = [];
    }
}
