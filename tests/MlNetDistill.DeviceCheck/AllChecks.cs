namespace MlNetDistill.DeviceCheck;

/// <summary>The checks, the quick and telling ones first.</summary>
internal static class AllChecks
{
    public static IEnumerable<Check> Of(Settings settings) =>
    [
        .. MachineChecks.Of(settings),
        .. LossChecks.Of(settings),
        .. NetworkChecks.Of(settings),
        .. RunChecks.Of(settings),
        .. MethodChecks.OfPoints(settings),
        .. TeacherChecks.Of(settings),
        .. CacheChecks.Of(settings),
        .. MemoryChecks.Of(settings),
        .. SpeedChecks.Of(settings),
        .. MethodChecks.OfImages(settings),
        .. OptionChecks.Of(settings),
    ];
}
