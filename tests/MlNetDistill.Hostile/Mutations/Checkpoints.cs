using MlNetDistill.Hostile.Uses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>The checkpoints of a route.</summary>
internal sealed class Checkpoints : FileFormat
{
    public override string Name => "checkpoints";

    public override string Title => "route checkpoints";

    public override IReadOnlyList<string> Words => ["anchor-000"];

    public override void Make(string folder) => Sample.Fit(Options(Route.Train(NetworkSpec.Mlp(6), every: 1, epochs: 3, folder: folder)));

    public override string Use(string folder, int variant)
    {
        var view = Sample.Points(60);
        string[] paths = [.. Enumerable.Range(1, 3).Select(epoch => Path.Combine(folder, $"anchor-000{epoch}.weights"))];
        return Bits(Sample.Fit(Options(Route.FromCheckpoints(NetworkSpec.Mlp(6), paths)), view).Scores(view));
    }

    public override string Damage(string folder, Random random)
    {
        if (random.Next(12) > 0)
            return base.Damage(folder, random);
        var files = Directory.GetFiles(folder).Order().ToArray();
        var (first, second) = (files[0], files[1 + random.Next(files.Length - 1)]);
        File.Copy(first, first + ".other");
        File.Move(second, first, overwrite: true);
        File.Move(first + ".other", second);
        return $"{Path.GetFileName(first)} and {Path.GetFileName(second)} swapped";
    }

    private static DistillationOptions Options(Teacher route) => Sample.Short(route) with { Method = DistillationMethod.Rco() };
}
