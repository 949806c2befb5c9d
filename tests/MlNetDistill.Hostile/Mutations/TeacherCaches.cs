using MlNetDistill.Cache;
using MlNetDistill.Hostile.Uses;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A teacher cache in a folder.</summary>
internal class TeacherCaches : FileFormat
{
    public override string Name => "cache";

    public override string Title => "teacher cache";

    public override void Make(string folder) => Fit(folder, CacheMode.Rebuild);

    public override string Use(string folder, int variant) => Fit(folder, variant == 0 ? CacheMode.UseOrCreate : CacheMode.UseOnly);

    protected static string Fit(string folder, CacheMode mode)
    {
        var view = Sample.Points(60);
        var teacher = Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), classNames: Rows.Classes);
        var options = Sample.Short(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder, Mode = mode } };
        return Bits(Sample.Fit(options, view).Scores(view));
    }
}

/// <summary>A cache that a killed run left unfinished.</summary>
internal sealed class UnfinishedTeacherCache : TeacherCaches
{
    // The footer: two numbers and a hash.
    private const int Footer = 8 + 8 + 32;

    public override string Name => "cache-unfinished";

    public override string Title => "unfinished teacher cache";

    public override void Make(string folder)
    {
        base.Make(folder);
        var cache = Directory.GetFiles(folder).Single();
        File.WriteAllBytes(cache + ".partial", File.ReadAllBytes(cache)[..^Footer]);
        File.Delete(cache);
    }

    public override string Use(string folder, int variant) => Fit(folder, CacheMode.UseOrCreate);
}
